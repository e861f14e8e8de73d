package leaf_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/leaf"
)

func TestSignalResumesOneAndBroadcastAll(t *testing.T) {
	var m leaf.Mutex
	c := leaf.NewCond(&m)
	var log []int
	for i := range 4 {
		spawn(t, func(*ctx.Task) {
			noError(t, m.Lock())
			defer m.Unlock()
			noError(t, c.Wait())
			require.False(t, m.TryLock())
			log = append(log, i)
		})
	}
	require.True(t, m.TryLock(), "Wait has unlocked it")
	c.Signal()
	require.Empty(t, log, "the lock is held")
	m.Unlock()
	require.Equal(t, []int{0}, log)
	c.Signal() // without the lock
	require.Equal(t, []int{0, 1}, log)
	require.NoError(t, m.Lock())
	c.Broadcast()
	m.Unlock()
	require.Equal(t, []int{0, 1, 2, 3}, log)
	c.Signal()
	c.Broadcast()
	require.True(t, m.TryLock())
}

// A queue with a limit, the use that a Cond is for, by goroutines and tasks.
func TestCondBetweenGoroutinesAndTasks(t *testing.T) {
	var m leaf.Mutex
	c := leaf.NewCond(&m)
	full, n, sum := 0, scale(2000), 0
	put := func() {
		for range n {
			noError(t, m.Lock())
			for full == 3 {
				noError(t, c.Wait())
			}
			full++
			c.Broadcast()
			m.Unlock()
		}
	}
	take := func() {
		for range n {
			noError(t, m.Lock())
			for full == 0 {
				noError(t, c.Wait())
			}
			full--
			sum++
			c.Broadcast()
			m.Unlock()
		}
	}
	var w leaf.WaitGroup
	for _, body := range []func(){put, take, put, take} {
		w.Add(1)
		go func() {
			defer w.Done()
			body()
		}()
		_, err := w.Go(func(*ctx.Task) { body() })
		require.NoError(t, err)
	}
	require.NoError(t, w.Wait())
	require.Equal(t, 4*n, sum)
	require.Zero(t, full)
}

// deferring waits as most programs do: with a deferred Unlock.
func deferring(t *testing.T, c *leaf.Cond, inDefer func()) *ctx.Task {
	return spawn(t, func(*ctx.Task) {
		noError(t, c.L.Lock())
		defer c.L.Unlock()
		defer inDefer()
		noError(t, c.Wait())
		t.Error("not reached")
	})
}

func TestCancelledCondWaiterHasTheLockIfItIsFree(t *testing.T) {
	c := leaf.NewCond(new(leaf.Mutex))
	held := false
	cancelled(t, deferring(t, c, func() { held = !c.L.TryLock() }))
	require.True(t, held)
	require.True(t, c.L.TryLock(), "its deferred Unlock has unlocked it")
}

func TestUnlockOfACancelledCondWaiterIsForgiven(t *testing.T) {
	for _, when := range []string{"queued", "signalled"} {
		t.Run(when, func(t *testing.T) {
			c := leaf.NewCond(new(leaf.Mutex))
			task := deferring(t, c, func() {})
			behind := 0
			for range 2 {
				spawn(t, func(*ctx.Task) {
					noError(t, c.L.Lock())
					noError(t, c.Wait())
					behind++
					c.L.Unlock()
				})
			}
			require.NoError(t, c.L.Lock())
			if when == "signalled" {
				c.Signal() // it waits for the lock now
				require.Equal(t, 1, leaf.MutexWaiters(c.L))
			}
			cancelled(t, task)
			require.False(t, c.L.TryLock(), "it is ours")
			waiting := 0
			spawn(t, func(*ctx.Task) { noError(t, c.L.Lock()); waiting++; c.L.Unlock() })
			require.Zero(t, waiting)
			c.L.Unlock()
			require.Equal(t, 1, waiting)
			if when == "queued" {
				require.Equal(t, 0, behind)
				c.Signal()
			}
			require.Equal(t, 1, behind, "the signal was not lost")
			c.Broadcast()
			require.Equal(t, 2, behind)
			require.True(t, c.L.TryLock())
			c.L.Unlock()
			require.Panics(t, c.L.Unlock, "nobody else is forgiven")
		})
	}
}

// Whoever does not unlock in a deferred call leaves a debt behind, which must not
// swallow an Unlock of the next task in the same memory.
func TestADebtEndsWithItsTask(t *testing.T) {
	c := leaf.NewCond(new(leaf.Mutex))
	task := spawn(t, func(*ctx.Task) {
		noError(t, c.L.Lock())
		noError(t, c.Wait())
	})
	require.NoError(t, c.L.Lock())
	cancelled(t, task)
	require.NoError(t, task.Free())
	c.L.Unlock()
	spawn(t, func(*ctx.Task) {
		noError(t, c.L.Lock())
		c.L.Unlock()
	})
	require.True(t, c.L.TryLock())
}

func TestCondKeepsTheLockWhenItCannotWait(t *testing.T) {
	c := leaf.NewCond(new(leaf.Mutex))
	var err error
	task := spawn(t, func(*ctx.Task) {
		defer func() {
			noError(t, c.L.Lock())
			err = c.Wait()
			require.False(t, c.L.TryLock())
			c.L.Unlock()
		}()
		noError(t, new(leaf.Event).Wait())
	})
	cancelled(t, task)
	require.ErrorIs(t, err, leaf.ErrUnwinding)
	require.True(t, c.L.TryLock())
}
