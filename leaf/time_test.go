package leaf_test

import (
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/leaf"
)

// In a bubble time is what the test says, to the nanosecond.
func TestTimeInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		took := func(d time.Duration) { t.Helper(); require.Equal(t, d, time.Since(start)); start = time.Now() }
		wait := func(call func() error) error {
			var err error
			require.NoError(t, spawn(t, func(*ctx.Task) { err = call() }).Wait())
			return err
		}

		require.NoError(t, wait(func() error { return leaf.Sleep(time.Hour) }))
		took(time.Hour)
		require.NoError(t, leaf.Sleep(time.Minute)) // a plain goroutine
		took(time.Minute)
		require.NoError(t, wait(func() error { return leaf.Sleep(-1) }))
		took(0)

		timer := leaf.After(time.Hour)
		require.NoError(t, wait(timer.Wait))
		took(time.Hour)
		require.True(t, timer.Fired())
		require.False(t, timer.Reset(time.Minute))
		require.False(t, timer.Fired())
		require.NoError(t, timer.Wait())
		took(time.Minute)

		err := wait(func() error {
			return leaf.Timeout(time.Hour, func(*ctx.Task) error { return leaf.Sleep(2 * time.Hour) })
		})
		took(time.Hour)
		var te *leaf.TimeoutError
		require.ErrorAs(t, err, &te)
		require.Equal(t, time.Hour, te.Limit)
		require.NoError(t, leaf.Timeout(time.Hour, func(*ctx.Task) error { return leaf.Sleep(time.Minute) }))
		took(time.Minute)

		// The primitives are blocked on durably, by goroutines too.
		var m leaf.Mutex
		require.NoError(t, m.Lock())
		go func() {
			noError(t, leaf.Sleep(time.Hour))
			m.Unlock()
		}()
		require.NoError(t, m.Lock())
		took(time.Hour)
	})
}

func TestTimerStoppedAndReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		timer := leaf.After(time.Hour)
		waited := 0
		for range 3 {
			spawn(t, func(*ctx.Task) { noError(t, timer.Wait()); waited++ })
		}
		gone := spawn(t, func(*ctx.Task) { noError(t, timer.Wait()); t.Error("not reached") })
		require.NoError(t, gone.Cancel(errWhy))
		require.True(t, timer.Stop())
		require.False(t, timer.Stop())
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		require.Zero(t, waited)
		require.False(t, timer.Reset(time.Hour))
		time.Sleep(30 * time.Minute)
		require.True(t, timer.Reset(time.Hour))
		time.Sleep(59 * time.Minute)
		synctest.Wait()
		require.Zero(t, waited)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		require.Equal(t, 3, waited)
		require.False(t, timer.Stop())
	})
}

// A sleeper that is cancelled leaves nothing behind that could wake the next one
// too early.
func TestCancelledSleepersDoNotDisturbOthers(t *testing.T) {
	var early atomic.Int64
	var w leaf.WaitGroup
	for i := range scale(3000) {
		limit := time.Duration(i%5) * 50 * time.Microsecond
		task, err := w.Go(func(*ctx.Task) {
			start := time.Now()
			noError(t, leaf.Sleep(limit))
			if time.Since(start) < limit {
				early.Add(1)
			}
		})
		require.NoError(t, err)
		if i%2 == 0 {
			runtime.Gosched()
			_ = task.Cancel(errWhy) // or it has ended, or runs
		}
	}
	require.NoError(t, w.Wait())
	require.Zero(t, early.Load())
}

func TestTimeoutAnswersWhatTheBodyDid(t *testing.T) {
	var cause error
	for name, tc := range map[string]struct {
		body func(t *ctx.Task) error
		is   error
	}{
		"nil":       {func(*ctx.Task) error { return nil }, nil},
		"error":     {func(*ctx.Task) error { return errWhy }, errWhy},
		"later":     {func(*ctx.Task) error { noError(t, leaf.Sleep(1)); return errWhy }, errWhy},
		"goexit":    {func(*ctx.Task) error { runtime.Goexit(); return nil }, ctx.ErrGoexit},
		"cancelled": {func(task *ctx.Task) error { _ = task.Cancel(errWhy); return leaf.Sleep(1) }, errWhy},
		"panic":     {func(*ctx.Task) error { panic(errWhy) }, errWhy},
	} {
		t.Run(name, func(t *testing.T) {
			require.ErrorIs(t, leaf.Timeout(time.Hour, tc.body), tc.is, "on a goroutine")
			spawned := spawn(t, func(*ctx.Task) { cause = leaf.Timeout(time.Hour, tc.body) })
			require.NoError(t, spawned.Wait())
			require.ErrorIs(t, cause, tc.is, "on a task")
			require.False(t, errors.Is(cause, leaf.ErrTimeout))
		})
	}
}

// What the body completes counts, even if its time was over before.
func TestTimeoutOfABodyThatDoesNotSuspend(t *testing.T) {
	asked := func(task *ctx.Task) error {
		eventually(t, "its time is over", task.CancelPending)
		return errWhy
	}
	require.Equal(t, errWhy, leaf.Timeout(1, asked))
	ends := false
	err := leaf.Timeout(1, func(task *ctx.Task) error {
		defer func() { ends = true }()
		_ = asked(task)
		return new(leaf.Event).Wait()
	})
	require.ErrorIs(t, err, leaf.ErrTimeout)
	require.True(t, ends)
}

func TestTimeoutsNest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var inner, outer error
		start := time.Now()
		body := func(outside, inside time.Duration) {
			outer = leaf.Timeout(outside, func(*ctx.Task) error {
				inner = nil
				inner = leaf.Timeout(inside, func(*ctx.Task) error { return new(leaf.Event).Wait() })
				return leaf.Sleep(time.Minute)
			})
		}
		body(time.Hour, time.Second)
		require.ErrorIs(t, inner, leaf.ErrTimeout)
		require.NoError(t, outer)
		require.Equal(t, 61*time.Second, time.Since(start))
		body(time.Second, time.Hour)
		require.NoError(t, inner, "it did not return")
		require.ErrorIs(t, outer, leaf.ErrTimeout)
		require.Equal(t, 62*time.Second, time.Since(start))
	})
}

// Whoever is cancelled in Timeout takes the body along.
func TestCancelInTimeout(t *testing.T) {
	var m leaf.Mutex
	require.NoError(t, m.Lock())
	order := ""
	task := spawn(t, func(*ctx.Task) {
		defer func() { order += "outside" }()
		_ = leaf.Timeout(time.Hour, func(*ctx.Task) error {
			defer func() { order += "inside " }()
			return m.Lock()
		})
		t.Error("not reached")
	})
	cancelled(t, task)
	require.Equal(t, "inside outside", order)
	require.Zero(t, leaf.MutexWaiters(&m))
}

// A deadline that comes as the lock does: whoever wins, the lock is held by one.
func TestTimeoutAgainstUnlock(t *testing.T) {
	var m leaf.Mutex
	got, late := 0, 0
	for i := range scale(2000) {
		require.NoError(t, m.Lock())
		done := make(chan error)
		go func() {
			done <- leaf.Timeout(time.Duration(1+i%40)*time.Microsecond, func(*ctx.Task) error { return m.Lock() })
		}()
		for range i % 40 {
			runtime.Gosched()
		}
		m.Unlock()
		switch err := <-done; {
		case err == nil:
			got++
			require.False(t, m.TryLock())
			m.Unlock()
		default:
			late++
			require.ErrorIs(t, err, leaf.ErrTimeout)
		}
		require.True(t, m.TryLock())
		m.Unlock()
	}
	t.Logf("%d got the lock, %d were late", got, late)
}

// Resuming a task of a bubble from outside is refused, loudly, and the waiter
// is not lost.
func TestAWaiterOfABubble(t *testing.T) {
	if portable() {
		t.Skip("portable backend: bubbles are not told apart")
	}
	for name, touch := range map[string]func(m *leaf.Mutex){
		"by a goroutine": func(m *leaf.Mutex) { noError(t, m.Lock()); m.Unlock() },
		"by a task": func(m *leaf.Mutex) {
			noError(t, spawn(t, func(*ctx.Task) { noError(t, m.Lock()); m.Unlock() }).Wait())
		},
		"by a cancel": func(*leaf.Mutex) {},
	} {
		t.Run(name, func(t *testing.T) {
			var m leaf.Mutex
			require.NoError(t, m.Lock())
			inside, unlocked := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(unlocked)
				<-inside
				require.PanicsWithError(t, new(leaf.StrandedError).Error(), m.Unlock)
				require.False(t, m.TryLock(), "the waiter has it")
			}()
			synctest.Test(t, func(t *testing.T) {
				waiter := spawn(t, func(*ctx.Task) {
					noError(t, m.Lock())
					m.Unlock()
				})
				close(inside) // made outside: not blocked on durably
				<-unlocked
				require.False(t, waiter.Done())
				touch(&m)
				if name == "by a cancel" {
					cancelled(t, waiter)
				}
				require.True(t, waiter.Done())
				require.True(t, m.TryLock())
				m.Unlock()
			})
		})
	}
}
