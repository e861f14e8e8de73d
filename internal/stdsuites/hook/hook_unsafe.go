//go:build unix

// Package hook runs the function of every go statement on a task of this
// library. It works only in the copy of the Go tree that command stdsuites
// makes: the runtime there has a variable goWrap. With any other runtime, a program
// that imports package hook does not link.
package hook

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	_ "unsafe" // for go:linkname

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/guard"
	"github.com/stackhop/stackhop/internal/stdsuites/counts"
)

// goWrap is a variable of the patched runtime: newproc calls it for each function
// with a name that begins neither with "runtime." nor with "stackhop". SAFETY(C2): the patch
// declares it with the same type.
//
//go:linkname goWrap runtime.goWrap
var goWrap func(f func()) func()

var (
	total  *counts.Counters
	option ctx.Option // where tasks run
)

func init() {
	mode := os.Getenv(counts.EnvMode)
	if mode == "" {
		return
	}
	var err error
	if option, err = storage(mode); err != nil {
		panic(err)
	}
	if total, err = counts.Map(os.Getenv(counts.EnvCounts)); err != nil {
		// A process with another root, or of another user, counts for itself.
		total = new(counts.Counters)
	}
	goWrap = wrap
}

// storage returns the option that mode names.
func storage(mode string) (ctx.Option, error) {
	kind, arg, _ := strings.Cut(mode, ":")
	size, err := strconv.Atoi(arg)
	if arg != "" && err != nil {
		return ctx.Option{}, fmt.Errorf("stdsuites: mode %q: %w", mode, err)
	}
	switch kind {
	case "default":
		return ctx.Option{}, nil
	case "native":
		return ctx.WithNativeStack(), nil
	case "size":
		return ctx.WithStackSize(size), nil
	case "strict":
		return ctx.WithStrictStack(size), nil
	case "growing":
		p, err := guard.NewPool(guard.Growing, size)
		if err != nil {
			return ctx.Option{}, err
		}
		return ctx.WithPool(p), nil
	}
	return ctx.Option{}, fmt.Errorf("stdsuites: mode %q: want default, native, size:BYTES, strict:BYTES or growing:BYTES", mode)
}

// wrap returns a function that runs f on a task. The runtime calls wrap on the
// stack of the go statement or, for time.AfterFunc, on a thread's system stack.
func wrap(f func()) func() { return func() { run(f) } }

// run runs f on a task, and ends as f has ended.
func run(f func()) {
	t, err := ctx.Spawn(func(*ctx.Task) { f() }, option)
	if err != nil {
		if total.Refused.Add(1) == 1 {
			note("refused: %v\n", err)
		}
		f()
		return
	}
	total.Ran.Add(1)
	if !t.Done() {
		note("task not done: %v\n", t)
		panic("stdsuites: a task that never suspends is not done")
	}
	err = t.Err()
	if freeErr := t.Free(); freeErr != nil {
		panic(freeErr)
	}
	finish(err)
}

// finish ends the goroutine of a task that ended with err as the task ended.
func finish(err error) {
	var (
		overflow *guard.OverflowError
		panicked *ctx.PanicError
	)
	switch {
	case err == nil:
	case errors.Is(err, stackhop.ErrThreadLocked):
		total.Locked.Add(1)
		runtime.LockOSThread()
	case errors.Is(err, ctx.ErrGoexit):
		total.Goexits.Add(1)
		runtime.Goexit()
	case errors.As(err, &overflow):
		total.Overflowed.Add(1)
		note("overflow: %v\n%s\n", overflow, overflow.Stack())
		panic(err)
	case errors.As(err, &panicked):
		total.Panics.Add(1)
		note("panic: %v\n%s\n", panicked.Value, panicked.Stack)
		panic(panicked.Value)
	default:
		panic(err)
	}
}

// note appends a line to the file of notes, if that can be opened here.
func note(format string, args ...any) {
	f, err := os.OpenFile(os.Getenv(counts.EnvNotes), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return
	}
	defer f.Close()
	fmt.Fprintf(f, format, args...)
}
