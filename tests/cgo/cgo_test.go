//go:build cgo

package cgo

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/guard"
	"github.com/stackhop/stackhop/internal/testsupport"
	"github.com/stackhop/stackhop/mmapstack"
	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) { testsupport.Main(m) }

// start makes a coroutine on each kind of stack in a subtest.
func eachStack(t *testing.T, test func(t *testing.T, start func(body func(c *stackhop.Coro)) *stackhop.Coro)) {
	for _, kind := range []string{"native", "mapped"} {
		t.Run(kind, func(t *testing.T) {
			test(t, func(body func(c *stackhop.Coro)) *stackhop.Coro {
				var region stackhop.Region
				if kind == "mapped" {
					s, err := mmapstack.New(64 << 10)
					if errors.Is(err, mmapstack.ErrUnsupported) {
						t.Skip(err)
					}
					require.NoError(t, err)
					t.Cleanup(func() { require.NoError(t, s.Close()) })
					region = s.Region()
				}
				c, err := stackhop.New(region, body)
				require.NoError(t, err)
				t.Cleanup(func() { require.True(t, c.Done(), "the body has not ended") })
				return c
			})
		})
	}
}

// H02, H29: C calls run on the system stack, and remember where on the task's
// stack they came from.
func TestH29CallsOfC(t *testing.T) {
	eachStack(t, func(t *testing.T, start func(func(*stackhop.Coro)) *stackhop.Coro) {
		sum := 0
		c := start(func(c *stackhop.Coro) {
			for i := range 50 {
				sum += deepC(i)
				c.Switch()
				throughC(3, func(arg int) {
					sum += deepC(arg)
					if i%10 == 0 {
						runtime.GC()
						_ = debug.Stack()
					}
				})
			}
		})
		for !c.Done() {
			c.Switch()
			sum += deepC(10) // the owner's calls of C, in between
		}
		require.Equal(t, 50*49/2+50*3+51*10, sum)
	})
}

// Callbacks that nest: Go, C, Go, C on one task's stack.
func TestH29NestedCallbacks(t *testing.T) {
	eachStack(t, func(t *testing.T, start func(func(*stackhop.Coro)) *stackhop.Coro) {
		depth := 0
		var nest func(n int)
		nest = func(n int) {
			if depth++; n > 0 {
				throughC(1, func(int) { nest(n - 1) })
			} else {
				runtime.GC()
			}
		}
		c := start(func(c *stackhop.Coro) { nest(6); c.Switch(); nest(6) })
		c.Switch()
		runtime.GC()
		c.Switch()
		require.Equal(t, 14, depth)
	})
}

// A callback is tied to its thread: the body cannot suspend inside it, and is
// told so. Nothing has happened then.
func TestH06SuspendInsideACallback(t *testing.T) {
	eachStack(t, func(t *testing.T, start func(func(*stackhop.Coro)) *stackhop.Coro) {
		var errs []error
		c := start(func(c *stackhop.Coro) {
			throughC(2, func(int) {
				errs = append(errs, c.TrySwitch())
				runtime.GC()
			})
			c.Switch()
			throughC(1, func(int) { errs = append(errs, c.TrySwitch()) })
		})
		for !c.Done() {
			c.Switch()
		}
		if stackhop.Backend().Name == "portable" {
			require.Len(t, errs, 3)
			t.Skipf("a goroutine of its own may wait anywhere: %s", stackhop.Backend().Reason)
		}
		for _, err := range errs {
			requireCallback(t, err)
		}
		require.Len(t, errs, 3)
	})
}

func requireCallback(t *testing.T, err error) {
	t.Helper()
	var lock *stackhop.ThreadLockError
	require.ErrorAs(t, err, &lock)
	require.ErrorIs(t, err, stackhop.ErrThreadLocked)
	require.Positive(t, lock.Internal)
	require.ErrorContains(t, err, "cgo callback")
}

// The same of a task: Yield panics with the error.
func TestH06TaskSuspendsInsideACallback(t *testing.T) {
	var got any
	task, err := ctx.Spawn(func(t *ctx.Task) {
		throughC(1, func(int) {
			defer func() { got = recover() }()
			t.Yield()
		})
	})
	require.NoError(t, err)
	if !task.Done() {
		require.Equal(t, "portable", stackhop.Backend().Name)
		require.NoError(t, task.Resume())
		t.Skipf("a goroutine of its own may wait anywhere: %s", stackhop.Backend().Reason)
	}
	require.NoError(t, task.Err())
	require.IsType(t, &stackhop.ThreadLockError{}, got)
}

// A whole coroutine lives within a callback; another one, made in a callback,
// outlives it.
func TestH06CoroutinesWithinACallback(t *testing.T) {
	eachStack(t, func(t *testing.T, start func(func(*stackhop.Coro)) *stackhop.Coro) {
		n := 0
		body := func(c *stackhop.Coro) {
			for range 4 {
				n++
				deepC(5)
				c.Switch()
			}
		}
		var left *stackhop.Coro
		outside := start(body)
		outside.Switch()
		throughC(1, func(int) {
			inside := start(body)
			for !inside.Done() {
				inside.Switch()
				runtime.GC()
			}
			outside.Switch()
			left = start(body)
			left.Switch()
		})
		for range 3 {
			outside.Switch()
			runtime.GC()
		}
		throughC(4, func(int) { left.Switch() })
		require.True(t, outside.Done())
		require.True(t, left.Done())
		require.Equal(t, 12, n)
	})
}

func TestTaskWithinACallback(t *testing.T) {
	ended := 0
	throughC(20, func(arg int) {
		task, err := ctx.Spawn(func(t *ctx.Task) {
			t.Yield()
			throughC(1, func(int) { ended++ })
			t.Yield()
		})
		if err != nil {
			t.Error(err)
			return
		}
		for !task.Done() {
			if err := task.Resume(); err != nil {
				t.Error(err)
			}
			if arg%5 == 0 {
				runtime.GC()
			}
		}
	})
	require.Equal(t, 20, ended)
}

// Many threads of C at a time, each with tasks that call C.
func TestManyThreads(t *testing.T) {
	const threads = 8
	eachStack(t, func(t *testing.T, start func(func(*stackhop.Coro)) *stackhop.Coro) {
		done := make(chan int)
		var coros [threads]*stackhop.Coro
		for i := range coros {
			coros[i] = start(func(c *stackhop.Coro) {
				for n := range 50 {
					if deepC(n) != n {
						panic("a C frame is damaged")
					}
					c.Switch()
				}
			})
		}
		for _, c := range coros {
			go func() {
				defer func() { done <- 1 }()
				for !c.Done() {
					c.Switch()
				}
			}()
		}
		for range coros {
			runtime.GC()
			<-done
		}
	})
}

// H29: nothing of a window can move below a call of C. So a stack that grows has
// its widest one from the beginning, and a callback uses what there is of it; a
// call that does not fit in there is a clean fatal error.
func TestH29StacksThatGrowInCallbacks(t *testing.T) {
	if b := stackhop.Backend(); b.Name != "asm" {
		t.Skipf("this is about the asm backend: %s", b.Reason)
	}
	pool, err := guard.NewPool(guard.Growing, 0)
	require.NoError(t, err)
	defer func() { require.NoError(t, pool.Close()) }()
	before := guard.Stats()
	task, err := ctx.Spawn(func(t *ctx.Task) {
		throughC(1, func(int) { deepGo(500) })
		deepC(10)
		deepGo(500)
	}, ctx.WithPool(pool))
	require.NoError(t, err)
	require.NoError(t, task.Err())
	require.Equal(t, before, guard.Stats())

	task, err = ctx.Spawn(func(t *ctx.Task) { deepGo(1 << 30) }, ctx.WithPool(pool))
	require.NoError(t, err)
	require.ErrorIs(t, task.Err(), guard.ErrOverflow)

	r := testsupport.RunChild(t, "overflow in a callback", 2*time.Minute)
	require.NotZero(t, r.Code)
	require.Contains(t, r.Stderr, "fatal error: stackhop: coroutine stack overflow in a call from C")
}

//go:noinline
func deepGo(n int) int {
	var a [16]int
	a[n%16] = n
	if n == 0 {
		return 0
	}
	return deepGo(n-1) + a[n%16]
}

var _ = testsupport.Child("overflow in a callback", func() {
	pool, err := guard.NewPool(guard.Growing, 0)
	if err != nil {
		panic(err)
	}
	_, err = ctx.Spawn(func(t *ctx.Task) {
		throughC(1, func(int) { deepGo(1 << 30) })
	}, ctx.WithPool(pool))
	fmt.Println("survived", err)
})

// H56: the calls of C that a thread has in progress may be those of the resumer, or of
// its resumers. A task without a call of its own survives its overflow there, also
// one that has made calls of C, and got some, before.
func TestOverflowUnderAResumerInACallFromC(t *testing.T) {
	if b := stackhop.Backend(); b.Name != "asm" {
		t.Skipf("this is about the asm backend: %s", b.Reason)
	}
	pool, err := guard.NewPool(guard.Growing, 0)
	require.NoError(t, err)
	defer func() { require.NoError(t, pool.Close()) }()
	overflow := func(calls bool) (deferred bool) {
		task, err := ctx.Spawn(func(t *ctx.Task) {
			defer func() { deferred = true }()
			t.Yield()
			if calls {
				throughC(2, func(int) { deepGo(10) })
				deepC(3)
			}
			deepGo(1 << 30)
		}, ctx.WithPool(pool))
		require.NoError(t, err)
		require.NoError(t, task.Resume())
		require.ErrorIs(t, task.Err(), guard.ErrOverflow)
		return deferred
	}
	for _, calls := range []bool{false, true} {
		survived := 0
		count := func() {
			if overflow(calls) {
				survived++
			}
		}
		throughC(2, func(int) { count() })
		throughC(1, func(int) { throughC(2, func(int) { count() }) })
		outer, err := ctx.Spawn(func(t *ctx.Task) { // the resumer is a task that grows
			throughC(2, func(int) { count() })
			count()
		}, ctx.WithPool(pool))
		require.NoError(t, err)
		require.NoError(t, outer.Err())
		runtime.LockOSThread()
		count()
		throughC(1, func(int) { count() })
		runtime.UnlockOSThread()
		require.Equal(t, 9, survived)
	}
}
