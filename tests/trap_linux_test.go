package tests

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/guard"
	"github.com/stackhop/stackhop/internal/testsupport"
)

// Under strict each overflow is fatal, with the frames and the reason shown.
func TestStrictOverflowIsFatal(t *testing.T) {
	needAsm(t)
	for _, kind := range []string{"plain", "alloc", "defer"} {
		t.Run(kind, func(t *testing.T) {
			r := testsupport.RunChild(t, "strict", childLimit, "STACKHOP_KIND="+kind)
			require.NotZero(t, r.Code)
			require.Contains(t, r.Stderr, "fatal error: stack size not a power of 2")
			require.Contains(t, r.Stderr, "coroutineBase_strictStack_overflowIsFatal")
			require.Contains(t, r.Stderr, "tests.strictly")
			require.NotContains(t, r.Stdout, "survived")
		})
	}
}

//go:noinline
func strictly(n int, kind string) (r int) {
	switch kind {
	case "alloc":
		m := map[int][]int{n: make([]int, n%50)}
		return strictly(n+1, kind) + len(m[n])
	case "defer":
		defer func() { r++ }()
	}
	return strictly(n+1, kind) + 1
}

var _ = testsupport.Child("strict", func() {
	check(guard.Install()) // the trap leaves strict stacks alone
	pool, err := guard.NewPool(guard.Strict, 0)
	check(err)
	_, err = ctx.Spawn(func(*ctx.Task) {
		defer func() { fmt.Println("survived", recover()) }()
		strictly(0, childKind())
	}, ctx.WithPool(pool))
	fmt.Println("survived", err)
})

// A fault that is none of the trap's reaches whom it reached before.
func TestTrapPassesOnOtherFaults(t *testing.T) {
	needAsm(t)
	for _, kind := range []string{"", "removed"} {
		r := testsupport.RunChild(t, "faults", childLimit, "STACKHOP_KIND="+kind)
		r.RequireOK(t)
		require.Empty(t, r.Stderr)
	}
}

var _ = testsupport.Child("faults", func() {
	pool, err := guard.NewPool(guard.Growing, 0)
	check(err)
	overflow := func() error {
		task, err := ctx.Spawn(func(*ctx.Task) { strictly(0, "alloc") }, ctx.WithPool(pool))
		check(err)
		return task.Err()
	}
	faults := func() {
		// A nil dereference panics, on a goroutine and on a task, deep and shallow.
		nils := func() {
			defer func() {
				var re runtime.Error
				if err, _ := recover().(error); !errors.As(err, &re) {
					panic(fmt.Sprint("not a runtime.Error: ", err))
				}
			}()
			var p *[1 << 20]byte
			sink += int(p[100])
		}
		nils()
		task, err := ctx.Spawn(func(*ctx.Task) { nils() }, ctx.WithPool(pool))
		check(err)
		check(task.Err())
		// debug.SetPanicOnFault makes panics of others.
		task, err = ctx.Spawn(func(*ctx.Task) {
			debug.SetPanicOnFault(true)
			defer func() {
				if recover() == nil {
					panic("no fault")
				}
			}()
			touch(0xdead_0000)
		}, ctx.WithPool(pool))
		check(err)
		check(task.Err())
		s, err := pool.Get()
		check(err)
		if !faultsAt(s.Region().Lo - 1) {
			panic("no guard")
		}
		pool.Put(s)
		// A signal that somebody sent goes to os/signal. It is sent to a thread of the
		// program: one for the process can reach a thread of qemu-user's own (its RCU
		// thread blocks every signal but the synchronous ones), which dies of it.
		got := make(chan os.Signal, 1)
		signal.Notify(got, syscall.SIGSEGV)
		runtime.LockOSThread()
		check(unix.Tgkill(os.Getpid(), unix.Gettid(), syscall.SIGSEGV))
		runtime.UnlockOSThread()
		if s := <-got; s != syscall.SIGSEGV {
			panic(s)
		}
		signal.Stop(got)
	}
	for range 20 {
		faults()
		if err := overflow(); !errors.Is(err, guard.ErrOverflow) {
			panic(err)
		}
	}
	if childKind() == "removed" { // and again without it, and with it once more
		check(guard.Remove())
		check(guard.Remove())
		if guard.Installed() {
			panic("still there")
		}
		if _, err := ctx.Spawn(func(*ctx.Task) {}, ctx.WithNativeStack()); err != nil {
			panic(err)
		}
		check(guard.Install())
		faults()
		if err := overflow(); !errors.Is(err, guard.ErrOverflow) {
			panic(err)
		}
	}
	check(pool.Close())
	fmt.Println("ok")
})

// A wild write crashes as before, on a goroutine and on a task.
func TestTrapLeavesWildWritesFatal(t *testing.T) {
	needAsm(t)
	for _, kind := range []string{"goroutine", "task", "guard"} {
		t.Run(kind, func(t *testing.T) {
			r := testsupport.RunChild(t, "wild", childLimit, "STACKHOP_KIND="+kind)
			require.NotZero(t, r.Code)
			require.Contains(t, r.Stderr, "unexpected fault address")
			require.Contains(t, r.Stderr, "SIGSEGV")
			if kind == "guard" {
				require.Regexp(t, `^stackhop: fault at 0x[0-9a-f]+, in the guard of the stack 0x[0-9a-f]+-0x[0-9a-f]+ of task "careless"\n`, r.Stderr)
			} else {
				require.NotContains(t, r.Stderr, "stackhop: fault")
			}
		})
	}
}

// Where SP itself is in the guard the runtime's handler has no stack to work on, and
// the kernel ends the process: the only words are the trap's.
func TestStackPointerInTheGuardIsNotSilent(t *testing.T) {
	needAsm(t)
	r := testsupport.RunChild(t, "sink", childLimit)
	require.NotZero(t, r.Code)
	require.NotContains(t, r.Stdout, "survived")
	require.Regexp(t, `^stackhop: fault at 0x[0-9a-f]+, in the guard of the stack 0x[0-9a-f]+-0x[0-9a-f]+ of task "sinks"\n`, r.Stderr)
}

var _ = testsupport.Child("sink", func() {
	check(guard.Install())
	_, err := ctx.Spawn(func(t *ctx.Task) {
		r := t.Stack().Region()
		sinkStack(r.Top - r.Lo)
	}, ctx.WithName("sinks"), ctx.WithStrictStack(64<<10))
	fmt.Println("survived", err)
})

var _ = testsupport.Child("wild", func() {
	pool, err := guard.NewPool(guard.Growing, 0)
	check(err)
	switch childKind() {
	case "goroutine":
		touch(0xdead_0000)
	case "task":
		_, err = ctx.Spawn(func(*ctx.Task) { touch(0xdead_0000) }, ctx.WithPool(pool))
	case "guard": // the region without access below a stack that grows
		s, err := pool.Get()
		check(err)
		_, err = ctx.Spawn(func(*ctx.Task) { touch(s.Region().Lo - 1) }, ctx.WithStack(s), ctx.WithName("careless"))
		check(err)
	}
	fmt.Println("survived", err)
})
