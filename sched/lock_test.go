package sched_test

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/cancel"
	"github.com/stackhop/stackhop/ctx"
	lock "github.com/stackhop/stackhop/leaf"
	"github.com/stackhop/stackhop/resume"
	"github.com/stackhop/stackhop/sched"
)

// A sharedSched is a user's scheduler that other goroutines may post to: a
// channel.
type sharedSched struct {
	todo  chan resume.Handle
	ended atomic.Int32
}

func newSharedSched() *sharedSched { return &sharedSched{todo: make(chan resume.Handle, 1024)} }

func (s *sharedSched) Post(h resume.Handle) error {
	s.todo <- h
	return nil
}

func (s *sharedSched) runOne() { _ = (<-s.todo).Resume() }

// R3: three schedulers and one lock. Tasks of a Loop, of a Pool, of a user's
// scheduler, of none, and plain goroutines share one leaf.Mutex, which knows none
// of them; each goes on where it belongs.
func TestR3ThreeSchedulersAndOneLock(t *testing.T) {
	const each = 8
	rounds := scale(200)
	var m lock.Mutex
	loop, pool, own := sched.NewLoop(), newPool(t, 3), newSharedSched()
	guarded, inside := 0, false // guarded by m
	var onLoop, onOwn int       // by their schedulers, each of one goroutine
	var bare, goroutines atomic.Int64
	work := func(confined func(), rest func()) {
		for range rounds {
			confined()
			if err := m.Lock(); err != nil {
				t.Error(err)
				return
			}
			if inside {
				t.Error("two have the lock")
			}
			inside = true
			confined() // the hand-over has not taken it elsewhere
			rest()
			guarded++
			inside = false
			m.Unlock()
			confined()
		}
	}
	for range each {
		require.NoError(t, loop.Go(func(task *ctx.Task) {
			work(func() { onLoop++ }, func() { _ = loop.Yield(task) })
		}))
		require.NoError(t, pool.Go(func(task *ctx.Task) {
			work(func() {}, func() { _ = pool.Yield(task) })
		}))
	}
	for range each {
		spawn(t, func(task *ctx.Task) {
			defer own.ended.Add(1)
			if err := sched.On(own, task); err != nil {
				t.Error(err)
			}
			work(func() { onOwn++ }, func() {})
		})
	}
	var wg sync.WaitGroup
	for range each {
		wg.Go(func() { // begins here, and then is resumed by whoever unlocks
			_, err := ctx.Spawn(func(*ctx.Task) { work(func() {}, func() {}); bare.Add(1) })
			if err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() { work(func() {}, func() {}); goroutines.Add(1) })
	}
	wg.Go(func() {
		if err := loop.Drain(); err != nil {
			t.Error(err)
		}
	})
	wg.Go(func() {
		for own.ended.Load() != each {
			own.runOne()
		}
	})
	require.NoError(t, pool.Wait())
	wg.Wait()
	eventually(t, "bare tasks end", func() bool { return bare.Load() == each })
	require.EqualValues(t, each, goroutines.Load())
	require.Equal(t, 5*each*rounds, guarded)
	require.Equal(t, each*rounds*3, onLoop)
	require.Equal(t, each*rounds*3, onOwn)
	require.True(t, m.TryLock())
}

// The same with cancels from other goroutines at any moment: of tasks that have
// the lock, wait for it, or have been given it and stand in their scheduler's
// queue. The lock is never lost and never held twice.
func TestR3CancelsNeverLoseTheLock(t *testing.T) {
	for range scale(50) {
		const each = 10
		var m lock.Mutex
		loop, pool := sched.NewLoop(), newPool(t, 2)
		inside := false // guarded by m
		var held, unheld atomic.Int64
		tasks := make(chan *ctx.Task, 2*each)
		body := func(yield func(*ctx.Task) error) func(*ctx.Task) {
			return func(task *ctx.Task) {
				tasks <- task
				for {
					if err := m.Lock(); err != nil {
						t.Error(err)
						return
					}
					func() {
						defer func() {
							inside = false
							unheld.Add(1)
							m.Unlock()
						}()
						held.Add(1)
						if inside {
							t.Error("two have the lock")
						}
						inside = true
						_ = yield(task)
					}()
				}
			}
		}
		for range each {
			require.NoError(t, loop.Go(body(loop.Yield)))
			require.NoError(t, pool.Go(body(pool.Yield)))
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := loop.Drain(); err != nil {
				t.Error(err)
			}
		})
		for range 2 {
			wg.Go(func() {
				for range each {
					task := <-tasks
					for range rand.IntN(200) {
						runtime.Gosched()
					}
					if err := task.Cancel(errWhy); err != nil && err != cancel.ErrCancelPending {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		require.NoError(t, pool.Close())
		require.Zero(t, pool.Stats().Tasks)
		require.Equal(t, held.Load(), unheld.Load())
		require.False(t, inside)
		require.True(t, m.TryLock(), "the lock was lost")
	}
}
