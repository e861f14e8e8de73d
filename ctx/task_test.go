package ctx_test

import (
	"errors"
	"io"
	"runtime"
	"sort"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
)

func TestSpawnRunsBodyAtOnceToItsFirstSuspension(t *testing.T) {
	onEach(t, func(t *testing.T, opts []ctx.Option) {
		for range 3 { // also on what the first one leaves behind
			var log []string
			var h resume.Handle
			log = append(log, "before")
			task := spawn(t, func(*ctx.Task) {
				log = append(log, "first part")
				ctx.Suspend(func(own resume.Handle) { h = own; log = append(log, "publish") })
				log = append(log, "second part")
			}, opts...)
			log = append(log, "owner")
			require.False(t, task.Done())
			require.NoError(t, task.Err())
			require.NoError(t, h.Resume())
			log = append(log, "after")
			require.Equal(t, []string{"before", "first part", "publish", "owner", "second part", "after"}, log)
			require.True(t, task.Done())
			require.NoError(t, task.Err())
			require.NoError(t, task.Free())
		}
	})
}

func TestBodyThatDoesNotSuspendIsDoneAfterSpawn(t *testing.T) {
	onEach(t, func(t *testing.T, opts []ctx.Option) {
		ran := false
		task := spawn(t, func(*ctx.Task) { ran = true }, opts...)
		require.True(t, ran)
		require.True(t, task.Done())
	})
}

func TestYieldAndResumeTakeTurns(t *testing.T) {
	onEach(t, func(t *testing.T, opts []ctx.Option) {
		n := 0
		task := spawn(t, func(task *ctx.Task) {
			for n < 1000 {
				n++
				task.Yield()
			}
		}, opts...)
		for i := 1; i <= 1000; i++ {
			require.Equal(t, i, n)
			require.NoError(t, task.Resume())
		}
		require.True(t, task.Done())
	})
}

func TestSuspendFromDeepLeafKeepsFrames(t *testing.T) {
	onEach(t, func(t *testing.T, opts []ctx.Option) {
		for _, depth := range []int{1, 10, 200} {
			var h resume.Handle
			got := 0
			task := spawn(t, func(*ctx.Task) {
				got = dive(depth, func() { ctx.Suspend(keep(&h)) })
			}, opts...)
			runtime.GC()
			require.NoError(t, h.Resume())
			require.True(t, task.Done())
			require.Equal(t, depth-1, got)
		}
	})
}

func TestSuspendInsideSortComparator(t *testing.T) {
	onEach(t, func(t *testing.T, opts []ctx.Option) {
		v := []int{5, 2, 8, 1, 9, 3}
		compared := 0
		task := spawn(t, func(task *ctx.Task) {
			sort.Slice(v, func(i, j int) bool {
				task.Yield()
				compared++
				return v[i] < v[j]
			})
		}, opts...)
		finish(t, task)
		require.True(t, sort.IntsAreSorted(v))
		require.NotZero(t, compared)
	})
}

func TestTasksSpawnTasks(t *testing.T) {
	var log []string
	var inner, middle *ctx.Task
	outer := spawn(t, func(o *ctx.Task) {
		require.Same(t, o, ctx.Current())
		middle = spawn(t, func(m *ctx.Task) {
			inner = spawn(t, func(i *ctx.Task) {
				require.Same(t, i, ctx.Current())
				log = append(log, "inner 1")
				i.Yield()
				log = append(log, "inner 2")
			})
			require.Same(t, m, ctx.Current())
			require.NoError(t, inner.Resume())
			log = append(log, "middle 1")
			m.Yield()
			log = append(log, "middle 2")
		})
		require.Same(t, o, ctx.Current())
		o.Yield()
		require.NoError(t, middle.Resume())
		log = append(log, "outer")
	})
	require.Nil(t, ctx.Current())
	finish(t, outer)
	require.Equal(t, []string{"inner 1", "inner 2", "middle 1", "middle 2", "outer"}, log)
	require.True(t, inner.Done())
	require.True(t, middle.Done())
}

func TestCurrentIsNilOutsideTasks(t *testing.T) {
	require.Nil(t, ctx.Current())
	require.Panics(t, func() { ctx.Suspend(func(resume.Handle) {}) })
	spawn(t, func(task *ctx.Task) {
		require.Same(t, task, ctx.Current())
		other := make(chan *ctx.Task)
		go func() { other <- ctx.Current() }()
		require.Nil(t, <-other, "a goroutine that a task starts is no task")
	}, ctx.WithNativeStack())
	require.Nil(t, ctx.Current())
}

func TestResumeFromOtherGoroutines(t *testing.T) {
	onEach(t, func(t *testing.T, opts []ctx.Option) {
		n := 0
		task := spawn(t, func(task *ctx.Task) {
			for n < 100 {
				task.Yield()
				n++
			}
		}, opts...)
		for !task.Done() {
			var wg sync.WaitGroup
			wg.Go(func() {
				if err := task.Resume(); err != nil {
					t.Error(err)
				}
			})
			wg.Wait()
		}
		require.Equal(t, 100, n)
	})
}

func TestPanicEndsTheTaskNotItsResumer(t *testing.T) {
	onEach(t, func(t *testing.T, opts []ctx.Option) {
		for range 2 {
			deferred := false
			task := spawn(t, func(task *ctx.Task) {
				defer func() { deferred = true }()
				task.Yield()
				functionThatPanics(io.ErrUnexpectedEOF)
			}, append([]ctx.Option{ctx.WithName("reader")}, opts...)...)
			require.NoError(t, task.Resume())
			require.True(t, task.Done())
			require.True(t, deferred)
			var pe *ctx.PanicError
			require.ErrorAs(t, task.Err(), &pe)
			require.Equal(t, io.ErrUnexpectedEOF, pe.Value)
			require.ErrorIs(t, task.Err(), io.ErrUnexpectedEOF)
			require.Contains(t, string(pe.Stack), "functionThatPanics")
			require.Contains(t, pe.Error(), `"reader"`)
			require.ErrorIs(t, task.Resume(), ctx.ErrDone)
		}
	})
}

//go:noinline
func functionThatPanics(v any) { panic(v) }

func TestPanicOfOtherValues(t *testing.T) {
	for _, v := range []any{"text", 7} {
		task := spawn(t, func(*ctx.Task) { panic(v) })
		var pe *ctx.PanicError
		require.ErrorAs(t, task.Err(), &pe)
		require.Equal(t, v, pe.Value)
		require.Empty(t, pe.Unwrap())
	}
	task := spawn(t, func(*ctx.Task) { panic(nil) })
	var pn *runtime.PanicNilError
	require.ErrorAs(t, task.Err(), &pn)
}

func TestRecoveredPanicIsNoError(t *testing.T) {
	onEach(t, func(t *testing.T, opts []ctx.Option) {
		task := spawn(t, func(task *ctx.Task) {
			defer func() { recover(); task.Yield() }()
			panic("x")
		}, opts...)
		require.False(t, task.Done())
		finish(t, task)
		require.NoError(t, task.Err())
	})
}

func TestGoexitEndsTheTaskOnly(t *testing.T) {
	onEach(t, func(t *testing.T, opts []ctx.Option) {
		for range 3 {
			deferred := false
			task := spawn(t, func(task *ctx.Task) {
				defer func() { deferred = true }()
				task.Yield()
				runtime.Goexit()
			}, opts...)
			require.NoError(t, task.Resume())
			require.True(t, task.Done())
			require.True(t, deferred)
			require.ErrorIs(t, task.Err(), ctx.ErrGoexit)
		}
		task := spawn(t, func(task *ctx.Task) { task.Yield() }, opts...)
		finish(t, task)
		require.NoError(t, task.Err())
	})
}

// FailNow ends the goroutine that calls it: here, the task.
func TestFailNowEndsTheTaskOnly(t *testing.T) {
	var fake testing.T
	task := spawn(t, func(*ctx.Task) { fake.FailNow() })
	require.ErrorIs(t, task.Err(), ctx.ErrGoexit)
	require.True(t, fake.Failed())
}

func TestPublishPanicLeavesTheTaskSuspended(t *testing.T) {
	var h resume.Handle
	var task *ctx.Task
	require.PanicsWithValue(t, "publish", func() {
		_, _ = ctx.Spawn(func(own *ctx.Task) {
			task = own
			own.Suspend(func(own resume.Handle) { h = own; panic("publish") })
		})
	})
	require.True(t, h.Live())
	require.ErrorIs(t, task.Resume(), ctx.ErrNotYielded)
	require.NoError(t, h.Resume())
	require.True(t, task.Done())
	require.NoError(t, task.Err())
}

func TestPublishThatResumesContinuesAtOnce(t *testing.T) {
	n := 0
	task := spawn(t, func(task *ctx.Task) {
		for n < 100 {
			n++
			task.Suspend(func(h resume.Handle) {
				if err := h.Resume(); err != nil {
					t.Error(err)
				}
			})
		}
	}, ctx.WithNativeStack())
	require.True(t, task.Done())
	require.Equal(t, 100, n)
}

func TestHandleOfADoneTaskIsStaleForEver(t *testing.T) {
	var old []resume.Handle
	for range 50 {
		var h resume.Handle
		task := spawn(t, func(*ctx.Task) { ctx.Suspend(keep(&h)) })
		for _, o := range old {
			require.ErrorIs(t, o.Resume(), resume.ErrStale)
		}
		require.NoError(t, h.Resume())
		old = append(old, h)
		require.NoError(t, task.Free())
	}
}

func TestFreeLetsTheTaskServeAgain(t *testing.T) {
	if portable() {
		t.Skip("portable backend: an identity serves one task, and takes its Task along")
	}
	if raceEnabled {
		t.Skip("race builds: the portable backend; other goroutines' stacks are not told apart")
	}
	first := spawn(t, func(*ctx.Task) {}, ctx.WithNativeStack())
	kept := spawn(t, func(*ctx.Task) {}, ctx.WithNativeStack())
	require.NotSame(t, first, kept, "first was not freed")
	again := false
	for range 100 { // the goroutine may go on on another processor, which has a list of its own
		require.NoError(t, kept.Free())
		next := spawn(t, func(*ctx.Task) {}, ctx.WithNativeStack())
		if again = next == kept; again {
			break
		}
		kept = next
	}
	require.True(t, again)
}

// See also TestAThreadThatABodyKeepsLockedEndsWithIt.
func TestLockOSThreadLeftByABody(t *testing.T) {
	if portable() {
		t.Skip("portable backend: a body has a thread to itself, so nothing is wrong")
	}
	onEach(t, func(t *testing.T, opts []ctx.Option) {
		for range 2 {
			// Held at a suspension: that panics in the body.
			task := spawn(t, func(task *ctx.Task) {
				runtime.LockOSThread()
				task.Yield()
			}, opts...)
			require.True(t, task.Done())
			var pe *ctx.PanicError
			require.ErrorAs(t, task.Err(), &pe)
			require.ErrorIs(t, task.Err(), ctx.ErrThreadLocked)

			// Held at the end.
			task = spawn(t, func(*ctx.Task) { runtime.LockOSThread(); runtime.LockOSThread() }, opts...)
			require.True(t, task.Done())
			require.NoError(t, task.Err())

			// Held at a Goexit.
			task = spawn(t, func(*ctx.Task) { runtime.LockOSThread(); runtime.Goexit() }, opts...)
			require.ErrorIs(t, task.Err(), ctx.ErrGoexit)

			// Recovered, and balanced.
			task = spawn(t, func(task *ctx.Task) {
				func() {
					defer func() { recover() }()
					runtime.LockOSThread()
					defer runtime.UnlockOSThread()
					task.Suspend(func(resume.Handle) {})
				}()
				task.Yield()
			}, opts...)
			finish(t, task)
			require.NoError(t, task.Err())
		}
	})
}

func TestLockedResumer(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	onEach(t, func(t *testing.T, opts []ctx.Option) {
		task := spawn(t, func(task *ctx.Task) { task.Yield() }, opts...)
		finish(t, task)
		require.NoError(t, task.Err())
	})
}

func TestStringTellsNameAndState(t *testing.T) {
	task := spawn(t, func(task *ctx.Task) { task.Yield() }, ctx.WithName("x"))
	require.Equal(t, `task "x": yielded to its owner`, task.String())
	finish(t, task)
	require.Equal(t, `task "x": done`, task.String())
}

func TestErrors(t *testing.T) {
	var h resume.Handle
	for _, tc := range []struct {
		name string
		call func(t *testing.T) error
		want error
	}{
		{"resume when done", func(t *testing.T) error { return spawn(t, func(*ctx.Task) {}).Resume() }, ctx.ErrDone},
		{"resume when freed", func(t *testing.T) error {
			task := spawn(t, func(*ctx.Task) {})
			require.NoError(t, task.Free())
			return task.Resume()
		}, ctx.ErrDone},
		{"resume oneself", func(t *testing.T) (err error) {
			spawn(t, func(task *ctx.Task) { err = task.Resume() })
			return err
		}, ctx.ErrRunning},
		{"resume what a handle has", func(t *testing.T) error {
			task := spawn(t, func(task *ctx.Task) { task.Suspend(keep(&h)) })
			defer func() { require.NoError(t, h.Resume()) }()
			return task.Resume()
		}, ctx.ErrNotYielded},
		{"free before the end", func(t *testing.T) error {
			task := spawn(t, func(task *ctx.Task) { task.Yield() })
			defer finish(t, task)
			return task.Free()
		}, ctx.ErrNotDone},
		{"nil body", func(*testing.T) error { _, err := ctx.Spawn(nil); return err }, ctx.ErrNilBody},
		{"goexit", func(t *testing.T) error { return spawn(t, func(*ctx.Task) { runtime.Goexit() }).Err() }, ctx.ErrGoexit},
	} {
		t.Run(tc.name, func(t *testing.T) { require.ErrorIs(t, tc.call(t), tc.want) })
	}
	require.False(t, errors.Is(&ctx.OptionError{}, ctx.ErrGoexit))
}
