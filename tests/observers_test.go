package tests

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strings"
	"testing"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/internal/testsupport"
	"github.com/stackhop/stackhop/mmapstack"
	"github.com/stretchr/testify/require"
)

// taskOptions are the kinds of storage whose identities are pooled.
var taskOptions = []struct {
	name string
	opt  ctx.Option
}{
	{"sized", ctx.WithStackSize(mmapstack.DefaultSize)},
	{"strict", ctx.WithStrictStack(mmapstack.DefaultSize)},
	{"native", ctx.WithNativeStack()},
}

func TestH33LabelsAreThoseOfTheSpawn(t *testing.T) {
	for _, o := range taskOptions {
		t.Run(o.name, func(t *testing.T) {
			for _, value := range []string{"one", "two", ""} { // on the same pooled identity
				var task *ctx.Task
				start := func(context.Context) { task = spawn(t, labelled, o.opt) }
				if value == "" {
					start(nil)
				} else {
					pprof.Do(context.Background(), pprof.Labels("subject", value), start)
				}
				var text bytes.Buffer
				require.NoError(t, pprof.Lookup("goroutine").WriteTo(&text, 1))
				found := false
				for g := range strings.SplitSeq(text.String(), "\n\n") {
					if !strings.Contains(g, "tests.labelled") {
						continue
					}
					found = true
					if value == "" {
						require.NotContains(t, g, "subject")
					} else {
						require.Contains(t, g, fmt.Sprintf(`"subject":"%s"`, value))
					}
				}
				require.True(t, found, "the task is not in the goroutine profile")
				require.NoError(t, task.Resume())
				require.True(t, task.Done())
			}
		})
	}
}

func labelled(t *ctx.Task) {
	t.Yield()
	// Its own labels are gone with it.
	pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), pprof.Labels("subject", "stale")))
}

func TestH33PanicOnFaultIsReset(t *testing.T) {
	for _, o := range taskOptions {
		t.Run(o.name, func(t *testing.T) {
			for range 4 {
				var before bool
				task := spawn(t, func(*ctx.Task) { before = debug.SetPanicOnFault(true) }, o.opt)
				require.True(t, task.Done())
				require.False(t, before, "left by an earlier task on the same identity")
			}
		})
	}
}

func TestPanicEndsTheTaskOnly(t *testing.T) {
	boom := errors.New("boom")
	for _, o := range taskOptions {
		t.Run(o.name, func(t *testing.T) {
			for _, value := range []any{boom, "text", 7} {
				task := spawn(t, func(t *ctx.Task) {
					defer t.Yield()
					t.Yield()
					panicDeep(20, value)
				}, o.opt)
				for !task.Done() {
					look()
					require.NoError(t, task.Resume())
				}
				var pe *ctx.PanicError
				require.ErrorAs(t, task.Err(), &pe)
				require.Equal(t, value, pe.Value)
				require.Contains(t, string(pe.Stack), "tests.panicDeep")
				require.Equal(t, value == any(boom), errors.Is(task.Err(), boom))
				require.ErrorIs(t, task.Resume(), ctx.ErrDone)
			}
		})
	}
}

//go:noinline
func panicDeep(n int, value any) {
	if n == 0 {
		panic(value)
	}
	panicDeep(n-1, value)
}

func TestGoexitEndsTheTaskOnly(t *testing.T) {
	for _, o := range taskOptions {
		t.Run(o.name, func(t *testing.T) {
			for range 5 {
				order := []string{}
				task := spawn(t, func(t *ctx.Task) {
					defer func() { order = append(order, "deferred") }()
					t.Yield()
					runtime.Goexit()
				}, o.opt)
				require.NoError(t, task.Resume())
				require.True(t, task.Done())
				require.ErrorIs(t, task.Err(), ctx.ErrGoexit)
				require.Equal(t, []string{"deferred"}, order)
			}
		})
	}
}

// The bare kernel leaves a panic alone: the process ends as it does for a
// goroutine, and prints the body's frames.
func TestUnrecoveredPanicPrints(t *testing.T) {
	for _, kind := range []string{"native", "mapped"} {
		t.Run(kind, func(t *testing.T) {
			r := testsupport.RunChild(t, "panics", childLimit, "STACKHOP_KIND="+kind)
			require.Equal(t, 2, r.Code, r.State)
			require.Contains(t, r.Stderr, "panic: on purpose")
			require.Contains(t, r.Stderr, "tests.panicDeep")
			require.NotContains(t, r.Stderr, "fatal error")
			require.NotContains(t, r.Stdout, "survived")
		})
	}
}

var _ = testsupport.Child("panics", func() {
	region := stackhop.Region{}
	if childKind() == "mapped" {
		region = childRegion()
	}
	c, err := stackhop.New(region, func(c *stackhop.Coro) {
		c.Switch()
		panicDeep(10, "on purpose")
	})
	if err != nil {
		panic(err)
	}
	c.Switch()
	c.Switch()
	fmt.Println("survived")
})

// Current knows the task at whatever depth, and the innermost of nested ones.
func TestCurrentAmongOthers(t *testing.T) {
	require.Nil(t, ctx.Current())
	require.Panics(t, func() { ctx.Suspend(nil) })
	for _, o := range taskOptions {
		t.Run(o.name, func(t *testing.T) {
			task := spawn(t, func(outer *ctx.Task) {
				if ctx.Current() != outer {
					panic("not the current task")
				}
				inner := spawn(t, func(inner *ctx.Task) {
					if ctx.Current() != inner {
						panic("not the current task, nested")
					}
					inner.Yield()
					other := make(chan *ctx.Task)
					go func() { other <- ctx.Current() }()
					if <-other != nil {
						panic("a goroutine that a task started is no task")
					}
				}, o.opt)
				outer.Yield()
				if err := inner.Resume(); err != nil || ctx.Current() != outer {
					panic(fmt.Sprint("after the inner task: ", err))
				}
			}, o.opt)
			require.Nil(t, ctx.Current())
			require.NoError(t, task.Resume())
			require.True(t, task.Done())
			require.NoError(t, task.Err())
		})
	}
}

func TestThreadLocksOfATask(t *testing.T) {
	for _, o := range taskOptions {
		t.Run(o.name, func(t *testing.T) {
			t.Run("kept at the end", func(t *testing.T) {
				for range 10 {
					task := spawn(t, func(t *ctx.Task) { t.Yield(); runtime.LockOSThread() }, o.opt)
					require.NoError(t, task.Resume())
					require.True(t, task.Done())
				}
				look()
			})
			t.Run("kept across a suspension", func(t *testing.T) {
				var got any
				task := spawn(t, func(t *ctx.Task) {
					runtime.LockOSThread()
					defer runtime.UnlockOSThread()
					defer func() { got = recover() }()
					t.Yield()
				}, o.opt)
				if !task.Done() { // the portable backend parks it where it is
					require.False(t, asm())
					require.NoError(t, task.Resume())
					t.Skip("the portable backend allows it")
				}
				require.NoError(t, task.Err())
				var lock *stackhop.ThreadLockError
				require.ErrorAs(t, got.(error), &lock)
			})
		})
	}
}
