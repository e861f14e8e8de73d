package leaf_test

import (
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/leaf"
)

func TestErrors(t *testing.T) {
	closed := leaf.NewChan[int](1)
	require.NoError(t, closed.Send(7))
	require.NoError(t, closed.Close())
	for _, tc := range []struct {
		name string
		call func() error
		want error
	}{
		{"send when closed", func() error { return closed.Send(1) }, leaf.ErrClosed},
		{"try to send when closed", func() error { _, err := closed.TrySend(1); return err }, leaf.ErrClosed},
		{"receive what was left", func() error { _, err := closed.Recv(); return err }, nil},
		{"receive when closed and empty", func() error { _, err := closed.Recv(); return err }, leaf.ErrClosed},
		{"try to receive when closed and empty", func() error { _, _, err := closed.TryRecv(); return err }, leaf.ErrClosed},
		{"close twice", closed.Close, leaf.ErrClosed},
		{"acquire more than there is", func() error { return leaf.NewSemaphore(3).Acquire(4) }, leaf.ErrWeight},
		{"acquire less than nothing", func() error { return leaf.NewSemaphore(3).Acquire(-1) }, leaf.ErrWeight},
		{"acquire of the zero Semaphore", func() error { return new(leaf.Semaphore).Acquire(1) }, leaf.ErrWeight},
		{"acquire nothing", func() error { return new(leaf.Semaphore).Acquire(0) }, nil},
		{"no time at all", func() error { return leaf.Timeout(0, func(*ctx.Task) error { t.Error("runs"); return nil }) }, leaf.ErrTimeout},
		{"timeout without a body", func() error { return leaf.Timeout(time.Second, nil) }, ctx.ErrNilBody},
		{"group without a body", func() error { _, err := new(leaf.WaitGroup).Go(nil); return err }, ctx.ErrNilBody},
		{"group with an option that cannot be", func() error {
			_, err := new(leaf.WaitGroup).Go(func(*ctx.Task) {}, ctx.WithStackSize(-1))
			return err
		}, ctx.ErrOption},
	} {
		t.Run(tc.name, func(t *testing.T) { require.ErrorIs(t, tc.call(), tc.want) })
	}

	var we *leaf.WeightError
	require.ErrorAs(t, leaf.NewSemaphore(3).Acquire(4), &we)
	require.Equal(t, leaf.WeightError{Weight: 4, Size: 3}, *we)
	require.Equal(t, "leaf: semaphore of 3 can never give 4: ask for 0 to 3", we.Error())
	te := &leaf.TimeoutError{Limit: time.Second}
	require.True(t, te.Timeout())
	require.ErrorIs(t, te, leaf.ErrTimeout)
	require.Equal(t, "leaf: not done within 1s", te.Error())
	require.ErrorIs(t, new(leaf.StrandedError), stackhop.ErrBubble)
	require.False(t, errors.Is(te, leaf.ErrClosed))
}

func TestMistakesPanicLikeTheirTwins(t *testing.T) {
	for text, call := range map[string]func(){
		"leaf: Unlock of an unlocked Mutex":                func() { new(leaf.Mutex).Unlock() },
		"leaf: Unlock of an RWMutex that no writer holds":  func() { new(leaf.RWMutex).Unlock() },
		"leaf: RUnlock of an RWMutex that no reader holds": func() { new(leaf.RWMutex).RUnlock() },
		"leaf: Release of more permits than were acquired": func() { leaf.NewSemaphore(3).Release(1) },
		"leaf: negative WaitGroup counter":                 func() { new(leaf.WaitGroup).Done() },
		"leaf: Cond.Wait without its Mutex being locked":   func() { _ = leaf.NewCond(new(leaf.Mutex)).Wait() },
		"leaf: NewSemaphore with a negative size":          func() { leaf.NewSemaphore(-1) },
		"leaf: NewChan with a negative capacity":           func() { leaf.NewChan[int](-1) },
	} {
		t.Run(text, func(t *testing.T) { require.PanicsWithValue(t, text, call) })
	}
	var m leaf.Mutex
	require.Panics(t, m.Unlock)
	require.True(t, m.TryLock(), "and nothing has changed")
}

// waits are all calls that wait, where they do. gate is closed in the end.
func waits(t *testing.T) map[string]func() error {
	gate := make(chan struct{})
	t.Cleanup(func() { close(gate) })
	return map[string]func() error{
		"Sleep": func() error { return leaf.Sleep(time.Hour) },
		"Timer": func() error { return leaf.After(time.Hour).Wait() },
		"Timeout": func() error {
			return leaf.Timeout(time.Hour, func(*ctx.Task) error { return new(leaf.Event).Wait() })
		},
		"Await": func() error { _, _, err := leaf.Await[int](nil); return err },
		"AwaitFunc": func() error {
			_, err := leaf.AwaitFunc(func() (int, error) {
				<-gate
				return 1, nil
			})
			return err
		},
		"Event": new(leaf.Event).Wait,
		"WaitGroup": func() error {
			w := new(leaf.WaitGroup)
			w.Add(1)
			return w.Wait()
		},
		"RWMutex, readers": func() error {
			m := new(leaf.RWMutex)
			_ = m.Lock()
			return m.RLock()
		},
	}
}

func TestThreadLockedTask(t *testing.T) {
	if portable() {
		t.Skip("portable backend: a body has a thread to itself, so it may wait")
	}
	for name, wait := range waits(t) {
		t.Run(name, func(t *testing.T) {
			var err error
			spawn(t, func(*ctx.Task) {
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
				err = wait()
			})
			var tl *stackhop.ThreadLockError
			require.ErrorAs(t, err, &tl)
			require.ErrorIs(t, err, leaf.ErrThreadLocked)
		})
	}
	onEachSubject(t, func(t *testing.T, s subject) {
		spawn(t, func(*ctx.Task) {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			require.ErrorIs(t, s.wait(), leaf.ErrThreadLocked)
		})
		require.Zero(t, s.waiters())
		_, got := crowd(t, s, 1)
		s.give()
		require.Equal(t, []int{0}, *got)
		s.empty(t)
	})
}

func TestUnwindingTask(t *testing.T) {
	for name, wait := range waits(t) {
		t.Run(name, func(t *testing.T) {
			var err error
			task := spawn(t, func(*ctx.Task) {
				defer func() { err = wait() }()
				_ = wait()
				t.Error("not reached")
			})
			eventually(t, "it waits", func() bool { return task.Cancel(errWhy) == nil })
			if name == "Timeout" {
				require.ErrorIs(t, err, errWhy, "it cannot have children any more")
				return
			}
			require.ErrorIs(t, err, leaf.ErrUnwinding)
		})
	}
}
