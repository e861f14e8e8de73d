package sched_test

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
	"github.com/stackhop/stackhop/sched"
)

func TestNewPoolOfZeroHasOneWorkerPerProcessor(t *testing.T) {
	n := runtime.GOMAXPROCS(3)
	defer runtime.GOMAXPROCS(n)
	p := newPool(t, 0)
	var at sync.WaitGroup
	at.Add(3)
	for range 3 { // each keeps one worker
		require.NoError(t, p.Do(func() { at.Done(); at.Wait() }))
	}
	at.Wait()
	eventually(t, "all are parked", func() bool { return settled(p, 3) })
}

// One item at a time, when all workers are about to park or parked.
func TestNoWakeUpOfAPoolIsLost(t *testing.T) {
	for _, workers := range []int{1, 2, 4} {
		p := newPool(t, workers)
		ran := make(chan struct{}, 1)
		for range scale(20_000) {
			require.NoError(t, p.Do(func() { ran <- struct{}{} }))
			<-ran
		}
	}
}

// Several posters at once, each of which waits for its own item.
func TestNoWakeUpAmongManyIsLost(t *testing.T) {
	for _, workers := range []int{1, 3} {
		p := newPool(t, workers)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				ran := make(chan struct{}, 1)
				for range scale(10_000) {
					if err := p.Do(func() { ran <- struct{}{} }); err != nil {
						t.Error(err)
					}
					<-ran
				}
			})
		}
		wg.Wait()
	}
}

// What a worker has queued for itself must not wait for it: others come for it
// while it is blocked.
func TestABlockedWorkersItemsAreTaken(t *testing.T) {
	p := newPool(t, 4)
	for range scale(500) {
		require.NoError(t, p.Go(func(task *ctx.Task) {
			var inner sync.WaitGroup
			for range 3 {
				inner.Add(1)
				if err := p.Do(inner.Done); err != nil {
					t.Error(err)
				}
			}
			inner.Wait() // blocks the worker
		}))
		require.NoError(t, p.Wait())
	}
}

// The same, while the others are busy without an end.
func TestABlockedWorkersItemsAreTakenByTheBusy(t *testing.T) {
	p := newPool(t, 2)
	var stop atomic.Bool
	for range 4 {
		require.NoError(t, p.Go(func(task *ctx.Task) {
			for !stop.Load() {
				_ = p.Yield(task)
			}
		}))
	}
	for range scale(50) {
		done := make(chan struct{})
		require.NoError(t, p.Go(func(task *ctx.Task) {
			for range 10 {
				inner := make(chan struct{})
				if err := p.Do(func() { close(inner) }); err != nil {
					t.Error(err)
				}
				<-inner
			}
			close(done)
		}))
		<-done
	}
	stop.Store(true)
	require.NoError(t, p.Wait())
}

// Tasks run on at most as many goroutines at once as there are workers.
func TestAPoolIsAsWideAsItsWorkers(t *testing.T) {
	const workers = 3
	p := newPool(t, workers)
	var now, most atomic.Int32
	for range 200 {
		require.NoError(t, p.Go(func(task *ctx.Task) {
			for range 20 {
				n := now.Add(1)
				for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
				}
				runtime.Gosched()
				now.Add(-1)
				_ = p.Yield(task)
			}
		}))
	}
	require.NoError(t, p.Wait())
	require.LessOrEqual(t, most.Load(), int32(workers))
}

func TestCloseRunsWhatIsQueuedToItsEnd(t *testing.T) {
	for range scale(200) {
		p, err := sched.NewPool(3)
		require.NoError(t, err)
		var ran atomic.Int32
		for range 20 {
			require.NoError(t, p.Go(func(task *ctx.Task) {
				for range 5 {
					_ = p.Yield(task)
				}
				ran.Add(1)
			}))
		}
		require.NoError(t, p.Close())
		require.EqualValues(t, 20, ran.Load())
		require.Zero(t, p.Stats().Queued)
	}
}

func TestAPoolThatIsClosingTakesHandlesButNothingNew(t *testing.T) {
	p, err := sched.NewPool(2)
	require.NoError(t, err)
	var closed sync.WaitGroup
	again := make(chan error, 1)
	require.NoError(t, p.Go(func(task *ctx.Task) {
		for p.Do(func() {}) == nil { // until Close begins
			_ = p.Yield(task)
		}
		again <- p.Go(func(*ctx.Task) { t.Error("ran") })
		require.NoError(t, p.Yield(task))
		again <- sched.On(p, task)
	}))
	closed.Go(func() { _ = p.Close() })
	require.ErrorIs(t, <-again, sched.ErrClosed)
	require.NoError(t, <-again)
	closed.Wait()
}

// Posts race with Close: each is either run or refused, never lost.
func TestCloseAgainstPosts(t *testing.T) {
	for range scale(500) {
		p, err := sched.NewPool(2)
		require.NoError(t, err)
		var ran, accepted atomic.Int32
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				for {
					switch err := p.Do(func() { ran.Add(1) }); err {
					case nil:
						accepted.Add(1)
					case sched.ErrClosed:
						return
					default:
						t.Error(err)
						return
					}
					runtime.Gosched()
				}
			})
		}
		wg.Go(func() { _ = p.Close() })
		require.NoError(t, p.Close())
		wg.Wait()
		require.Equal(t, accepted.Load(), ran.Load())
	}
}

// Close does not wait for tasks that are suspended elsewhere; they can be
// resumed and cancelled after it.
func TestCloseWithTasksWaiting(t *testing.T) {
	p, err := sched.NewPool(2)
	require.NoError(t, err)
	const tasks = 10
	var at [tasks]leaf
	var self [tasks]*ctx.Task
	var returned, unwound atomic.Int32
	for i := range tasks {
		require.NoError(t, p.Go(func(task *ctx.Task) {
			self[i] = task
			defer unwound.Add(1)
			at[i].wait(t)
			returned.Add(1)
		}))
	}
	require.NoError(t, p.Close())
	require.Equal(t, tasks, p.Stats().Tasks)
	for i := range tasks {
		if i%2 == 0 {
			require.NoError(t, self[i].Cancel(errWhy))
			require.ErrorIs(t, at[i].h.Resume(), resume.ErrStale)
		} else {
			require.NoError(t, at[i].h.Resume())
		}
		require.True(t, self[i].Done())
	}
	require.EqualValues(t, tasks, unwound.Load())
	require.EqualValues(t, tasks/2, returned.Load())
	require.NoError(t, p.Wait())
}

// A panic or a Goexit of what is no task costs the Pool nothing.
func TestAWorkerSurvivesWhatItRuns(t *testing.T) {
	p := newPool(t, 2)
	for range 10 {
		require.NoError(t, p.Do(func() { panic(errWhy) }))
		require.NoError(t, p.Do(runtime.Goexit))
		spawn(t, func(task *ctx.Task) { task.Suspend(func(h resume.Handle) { require.NoError(t, p.Post(h)) }) })
	}
	var ran sync.WaitGroup
	for range 100 {
		ran.Add(1)
		require.NoError(t, p.Do(ran.Done))
	}
	ran.Wait()
	eventually(t, "all are parked", func() bool { return settled(p, 2) })
	err := p.Wait()
	var pe *sched.PanicError
	require.ErrorAs(t, err, &pe)
	require.ErrorIs(t, err, errWhy)
	require.NotEmpty(t, pe.Stack)
	require.Len(t, err.(interface{ Unwrap() []error }).Unwrap(), 10)
}

func TestAPanicOfAPublishIsReported(t *testing.T) {
	p := newPool(t, 1)
	var first leaf
	task := spawn(t, func(task *ctx.Task) {
		first.wait(t)
		task.Suspend(func(resume.Handle) { panic(errWhy) })
	})
	require.NoError(t, p.Post(first.h))
	eventually(t, "it has run", func() bool { return settled(p, 1) })
	require.ErrorIs(t, p.Wait(), errWhy)
	require.NoError(t, task.Cancel(nil))
}

func TestWaitersOfAPool(t *testing.T) {
	p := newPool(t, 2)
	for range scale(500) {
		var ended atomic.Int32
		for range 4 {
			require.NoError(t, p.Go(func(task *ctx.Task) { _ = p.Yield(task); ended.Add(1) }))
		}
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if err := p.Wait(); err != nil || ended.Load() != 4 {
					t.Error(err, ended.Load())
				}
			})
		}
		wg.Wait()
	}
}

// A tree of tasks that start tasks, move from worker to worker, go on from other
// goroutines and are cancelled by them: when Wait of the one who has started its root
// returns, all of it has ended, however many trees there are.
func TestWaitIsNeverTooEarly(t *testing.T) {
	p := newPool(t, 4)
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			for range scale(300) {
				var begun, ended atomic.Int32
				var node func(depth int) func(*ctx.Task)
				node = func(depth int) func(*ctx.Task) {
					begun.Add(1)
					return func(task *ctx.Task) {
						defer ended.Add(1)
						for range 2 {
							if depth == 0 {
								break
							}
							if err := p.Go(node(depth - 1)); err != nil {
								t.Error(err)
							}
							_ = p.Yield(task)
						}
						switch depth % 3 {
						case 0:
							_ = task.Park(awayer{})
						case 1:
							_ = task.Park(canceller{task})
							t.Error("a task that was cancelled goes on")
						}
					}
				}
				if err := p.Go(node(5)); err != nil {
					t.Error(err)
				}
				if err := p.Wait(); err != nil {
					t.Error(err)
				}
				if b, e := begun.Load(), ended.Load(); b != 63 || e != b {
					t.Errorf("Wait has returned, and of %d tasks of 63 only %d have ended", b, e)
				}
			}
		})
	}
	all.Wait()
	require.Zero(t, p.Stats().Tasks)
}

// canceller cancels who parks from a goroutine of its own.
type canceller struct{ t *ctx.Task }

func (c canceller) Publish(resume.Handle) {
	go func() { _ = c.t.Cancel(nil) }()
}

// A Pool made in a testing/synctest bubble belongs to it: its idle workers do not
// keep the bubble's clock.
func TestAPoolInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, err := sched.NewPool(3)
		require.NoError(t, err)
		start := time.Now()
		var slept atomic.Int32
		for range 10 {
			require.NoError(t, p.Go(func(task *ctx.Task) {
				time.Sleep(time.Hour) // blocks the worker, as it would a goroutine
				_ = p.Yield(task)
				slept.Add(1)
			}))
		}
		require.NoError(t, p.Wait())
		require.EqualValues(t, 10, slept.Load())
		require.Equal(t, 4*time.Hour, time.Since(start))
		synctest.Wait()
		require.NoError(t, p.Close())
	})
}
