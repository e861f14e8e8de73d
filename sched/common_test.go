package sched_test

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
)

// What holds for every scheduler.

func TestGoRunsTasksToTheirEnd(t *testing.T) {
	onEach(t, func(t *testing.T, s subject) {
		const tasks, yields = 100, 10
		var began, ended atomic.Int32
		for range tasks {
			require.NoError(t, s.Go(func(task *ctx.Task) {
				began.Add(1)
				for range yields {
					if err := s.Yield(task); err != nil {
						t.Error(err)
					}
				}
				ended.Add(1)
			}))
		}
		require.NoError(t, s.finish())
		require.EqualValues(t, tasks, began.Load())
		require.EqualValues(t, tasks, ended.Load())
		st := s.Stats()
		require.Zero(t, st.Tasks)
		require.Zero(t, st.Queued)
		require.EqualValues(t, tasks*(yields+1), st.Ran)
		require.Zero(t, st.Stale)
	})
}

func TestGoFromATaskOnIt(t *testing.T) {
	onEach(t, func(t *testing.T, s subject) {
		var ended atomic.Int32
		var grow func(depth int) func(*ctx.Task)
		grow = func(depth int) func(*ctx.Task) {
			return func(*ctx.Task) {
				for range 4 * min(depth, 1) {
					if err := s.Go(grow(depth - 1)); err != nil {
						t.Error(err)
					}
				}
				ended.Add(1)
			}
		}
		require.NoError(t, s.Go(grow(5)))
		require.NoError(t, s.finish())
		require.EqualValues(t, (4*4*4*4*4*4-1)/3, ended.Load())
	})
}

func TestOptionsOfGoReachSpawn(t *testing.T) {
	onEach(t, func(t *testing.T, s subject) {
		var name atomic.Value
		require.NoError(t, s.Go(func(task *ctx.Task) { name.Store(task.String()) },
			ctx.WithName("anna"), ctx.WithStackSize(128<<10)))
		require.NoError(t, s.finish())
		require.Contains(t, name.Load(), `"anna"`)
	})
}

func TestDoCallsOnceEach(t *testing.T) {
	onEach(t, func(t *testing.T, s subject) {
		var calls atomic.Int32
		for range 1000 {
			require.NoError(t, s.Do(func() { calls.Add(1) }))
		}
		require.NoError(t, s.finish())
		require.EqualValues(t, 1000, calls.Load())
	})
}

// A task with a home goes on there whoever resumes it: not on the resumer's
// goroutine, and not before its turn.
func TestTasksOfGoAlwaysGoOnAtHome(t *testing.T) {
	onEach(t, func(t *testing.T, s subject) {
		var l leaf
		var went atomic.Bool
		require.NoError(t, s.Go(func(task *ctx.Task) {
			if task.Home() != resume.Publisher(s.scheduler) {
				t.Error("Go has not set the home")
			}
			l.wait(t)
			went.Store(true)
		}))
		s.settle()
		let := s.hold()
		require.NoError(t, l.h.Resume())
		require.False(t, went.Load())
		let()
		require.NoError(t, s.finish())
		require.True(t, went.Load())
	})
}

func TestPostContinuesAHandleOnTheScheduler(t *testing.T) {
	onEach(t, func(t *testing.T, s subject) {
		var l leaf
		var went atomic.Bool
		task := spawn(t, func(*ctx.Task) {
			l.wait(t)
			went.Store(true)
		})
		let := s.hold()
		require.NoError(t, s.Post(l.h))
		require.False(t, went.Load())
		let()
		require.NoError(t, s.finish())
		require.True(t, went.Load())
		require.True(t, task.Done())
	})
}

func TestAHandleThatIsStaleInItsTurnIsDroppedAndCounted(t *testing.T) {
	onEach(t, func(t *testing.T, s subject) {
		var l leaf
		ran := 0
		task := spawn(t, func(*ctx.Task) {
			for range 2 {
				l.wait(t)
				ran++
			}
		})
		old := l.h
		let := s.hold()
		require.NoError(t, s.Post(old))
		require.NoError(t, s.Post(old), "twice: one of the two runs the task")
		let()
		s.settle()
		require.EqualValues(t, 1, s.Stats().Stale)
		require.Equal(t, 1, ran)
		require.ErrorIs(t, s.Post(old), resume.ErrStale, "known at once")
		require.NoError(t, s.Post(l.h))
		require.NoError(t, s.finish())
		require.True(t, task.Done())
		require.EqualValues(t, 1, s.Stats().Stale)
	})
}

// A task that is cancelled while it is queued unwinds where Cancel is called; its
// place in the queue is a stale handle.
func TestCancelOfAQueuedTask(t *testing.T) {
	onEach(t, func(t *testing.T, s subject) {
		const tasks = 100
		let := s.hold()
		var unwound, ran int
		for i := range tasks {
			task := spawn(t, func(task *ctx.Task) {
				defer func() { unwound++ }()
				_ = s.Yield(task)
				ran++
			})
			require.NoError(t, task.Cancel(errWhy), "at once")
			require.True(t, task.Done())
			require.ErrorIs(t, task.Err(), errWhy)
			require.Equal(t, i+1, unwound)
		}
		let()
		require.NoError(t, s.finish())
		require.Zero(t, ran)
		require.EqualValues(t, tasks, s.Stats().Stale)
	})
}

// The same, of a task on its way home from a leaf: the leaf sees that Park does
// not return.
func TestCancelOfATaskOnItsWayHome(t *testing.T) {
	onEach(t, func(t *testing.T, s subject) {
		var l leaf
		var self *ctx.Task
		var returned, unwound atomic.Bool
		require.NoError(t, s.Go(func(task *ctx.Task) {
			self = task
			defer unwound.Store(true)
			l.wait(t)
			returned.Store(true)
		}))
		s.settle()
		let := s.hold()
		require.NoError(t, l.h.Resume(), "the leaf has handed over")
		require.NoError(t, self.Cancel(errWhy))
		require.True(t, unwound.Load())
		let()
		require.NoError(t, s.finish(), "a cancel is no failure")
		require.False(t, returned.Load())
		require.EqualValues(t, 1, s.Stats().Stale)
		require.Zero(t, s.Stats().Tasks)
	})
}

// misbehave starts tasks of which two fail.
func misbehave(t *testing.T, s subject) {
	for _, body := range []func(*ctx.Task){
		func(*ctx.Task) { panic(errWhy) },
		func(task *ctx.Task) { _ = s.Yield(task); panic("later") },
		func(*ctx.Task) { runtime.Goexit() },
		func(task *ctx.Task) { _ = task.Cancel(errWhy); _ = s.Yield(task) },
		func(*ctx.Task) {},
	} {
		require.NoError(t, s.Go(body))
	}
}

func TestPanicsOfTasksAreReturned(t *testing.T) {
	onEach(t, func(t *testing.T, s subject) {
		misbehave(t, s)
		err := s.finish()
		require.ErrorIs(t, err, errWhy)
		require.ErrorContains(t, err, "later")
		var pe *ctx.PanicError
		require.ErrorAs(t, err, &pe)
		require.NotEmpty(t, pe.Stack)
		require.Len(t, err.(interface{ Unwrap() []error }).Unwrap(), 2, "%v", err)
		require.NoError(t, s.finish(), "told once")
	})
}

func TestPanicsOfTasksAreToldToOnFailure(t *testing.T) {
	onEach(t, func(t *testing.T, s subject) {
		var mu sync.Mutex
		var got []error
		s.OnFailure(func(err error) {
			mu.Lock()
			got = append(got, err)
			mu.Unlock()
		})
		misbehave(t, s)
		require.NoError(t, s.finish())
		require.Len(t, got, 2)
	})
}

func TestOfManyFailuresTheNumberIsKept(t *testing.T) {
	onEach(t, func(t *testing.T, s subject) {
		for range 100 {
			require.NoError(t, s.Go(func(*ctx.Task) { panic("one of many") }))
		}
		require.ErrorContains(t, s.finish(), "and 36 more tasks failed")
	})
}

func TestATaskThatCannotStartIsAFailure(t *testing.T) {
	onEach(t, func(t *testing.T, s subject) {
		require.NoError(t, s.Go(func(*ctx.Task) { t.Error("ran") }, ctx.WithStackSize(-1)))
		var oe *ctx.OptionError
		require.ErrorAs(t, s.finish(), &oe)
		require.Zero(t, s.Stats().Tasks)
	})
}

func TestYieldersTakeTurns(t *testing.T) {
	onEach(t, func(t *testing.T, s subject) {
		const tasks, yields = 10, 1000
		let := s.hold()
		var turns [tasks]atomic.Int32
		for i := range tasks {
			spawn(t, func(task *ctx.Task) {
				for range yields {
					_ = s.Yield(task)
					turns[i].Add(1)
				}
			})
		}
		let()
		// New ones have turns too while old ones go round and round.
		var began atomic.Bool
		var stop atomic.Bool
		spawn(t, func(task *ctx.Task) {
			for !stop.Load() {
				_ = s.Yield(task)
			}
		})
		require.NoError(t, s.Go(func(*ctx.Task) { began.Store(true); stop.Store(true) }))
		require.NoError(t, s.finish())
		require.True(t, began.Load())
		for i := range turns {
			require.EqualValues(t, yields, turns[i].Load())
		}
	})
}
