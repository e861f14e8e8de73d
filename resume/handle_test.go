package resume_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/cancel"
	"github.com/stackhop/stackhop/resume"
)

func TestErrors(t *testing.T) {
	suspended := func(t *testing.T) (*task, resume.Handle) {
		var h resume.Handle
		return spawn(t, func(tk *task) { tk.suspend(&h) }), h
	}
	for _, tc := range []struct {
		name string
		call func(t *testing.T) error
		want error
	}{
		{"zero handle", func(*testing.T) error { return resume.Handle{}.Resume() }, resume.ErrStale},
		{"used handle", func(t *testing.T) error {
			_, h := suspended(t)
			require.NoError(t, h.Resume())
			return h.Resume()
		}, resume.ErrStale},
		{"handle while its task runs", func(t *testing.T) (err error) {
			var h resume.Handle
			spawn(t, func(tk *task) {
				tk.suspend(&h)
				err = h.Resume()
			})
			require.NoError(t, h.Resume())
			return err
		}, resume.ErrStale},
		{"handle of an earlier suspension", func(t *testing.T) error {
			var first, second resume.Handle
			spawn(t, func(tk *task) { tk.suspend(&first); tk.suspend(&second) })
			require.NoError(t, first.Resume())
			defer func() { require.NoError(t, second.Resume()) }()
			return first.Resume()
		}, resume.ErrStale},
		{"transfer outside a task", func(t *testing.T) error {
			_, h := suspended(t)
			defer func() { require.NoError(t, h.Resume()) }()
			return h.Transfer()
		}, resume.ErrNotOnTask},
		{"transfer to a stale handle", func(t *testing.T) (err error) {
			spawn(t, func(*task) { err = resume.Handle{}.Transfer() })
			return err
		}, resume.ErrStale},
		{"owner resumes what a handle has", func(t *testing.T) error {
			tk, h := suspended(t)
			defer func() { require.NoError(t, h.Resume()) }()
			return tk.slot.Resume()
		}, resume.ErrNotYielded},
		{"owner resumes what is done", func(t *testing.T) error {
			return spawn(t, func(*task) {}).slot.Resume()
		}, resume.ErrDone},
		{"owner resumes what is free", func(t *testing.T) error {
			tk := spawn(t, func(*task) {})
			require.NoError(t, tk.slot.Free())
			return tk.slot.Resume()
		}, resume.ErrDone},
		{"task resumes itself", func(t *testing.T) (err error) {
			spawn(t, func(tk *task) { err = tk.slot.Resume() })
			return err
		}, resume.ErrRunning},
		{"task resumes one that waits for it", func(t *testing.T) (err error) {
			spawn(t, func(outer *task) {
				spawn(t, func(*task) { err = outer.slot.Resume() })
			})
			return err
		}, resume.ErrRunning},
		{"free before the end", func(t *testing.T) error {
			tk, h := suspended(t)
			defer func() { require.NoError(t, h.Resume()) }()
			return tk.slot.Free()
		}, resume.ErrNotDone},
		{"free twice", func(t *testing.T) error {
			tk := spawn(t, func(*task) {})
			require.NoError(t, tk.slot.Free())
			return tk.slot.Free()
		}, resume.ErrDone},
	} {
		t.Run(tc.name, func(t *testing.T) { require.ErrorIs(t, tc.call(t), tc.want) })
	}
	require.ErrorIs(t, &stackhop.ThreadLockError{}, resume.ErrThreadLocked)
}

func TestHandleIsLiveUntilUsed(t *testing.T) {
	var h resume.Handle
	require.False(t, h.Live())
	tk := spawn(t, func(tk *task) {
		tk.suspend(&h)
		require.False(t, h.Live(), "while it runs")
	})
	require.True(t, h.Live())
	same := h
	require.Equal(t, h, same)
	require.NoError(t, same.Resume())
	require.False(t, h.Live())
	require.True(t, tk.slot.Done())
	require.Equal(t, 1, tk.ends)
}

func TestHandleStaysStaleWhenTheSlotServesAgain(t *testing.T) {
	var old []resume.Handle
	tk := new(task)
	for range 100 {
		var h resume.Handle
		tk.start(t, func(tk *task) { tk.suspend(&h) })
		for _, o := range old {
			require.False(t, o.Live())
			require.ErrorIs(t, o.Resume(), resume.ErrStale)
		}
		old = append(old, h)
		require.NoError(t, h.Resume())
		require.NoError(t, tk.slot.Free())
		require.True(t, tk.slot.Reusable())
	}
}

func TestPublishRunsAfterTheTaskIsParkedOnTheResumersSide(t *testing.T) {
	var onTask *resume.Slot
	live := false
	tk := spawn(t, func(tk *task) {
		require.Same(t, &tk.slot, resume.Current())
		tk.slot.Suspend(resume.PublishFunc(func(h resume.Handle) {
			onTask, live = resume.Current(), h.Live()
			require.NoError(t, h.Resume())
		}))
	})
	require.Nil(t, onTask)
	require.True(t, live)
	require.True(t, tk.slot.Done(), "a publish that resumes continues the task at once")
}

func TestPublishPanicIsTheResumers(t *testing.T) {
	var h resume.Handle
	tk := new(task)
	require.PanicsWithValue(t, "publish", func() {
		tk.start(t, func(tk *task) {
			tk.slot.Suspend(resume.PublishFunc(func(own resume.Handle) { h = own; panic("publish") }))
		})
	})
	require.True(t, h.Live())
	require.NoError(t, h.Resume())
	require.True(t, tk.slot.Done())
}

func TestContendersOneWins(t *testing.T) {
	const contenders = 8
	rounds := 100_000
	if testing.Short() || stackhop.Backend().Name == "portable" {
		rounds = 500
	}
	var h atomic.Pointer[resume.Handle]
	ran := 0 // guarded by the handle itself
	publish := resume.PublishFunc(func(own resume.Handle) { h.Store(&own) })
	tk := spawn(t, func(tk *task) {
		for ran < rounds {
			tk.slot.Suspend(publish)
			ran++
		}
	})
	var won atomic.Int64
	var wg sync.WaitGroup
	for range contenders {
		wg.Go(func() {
			for !tk.slot.Done() {
				switch err := h.Load().Resume(); err {
				case nil:
					won.Add(1)
				case resume.ErrStale:
				default:
					t.Errorf("R6: got %v, want nil or ErrStale", err)
					return
				}
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, rounds, won.Load())
	require.Equal(t, rounds, ran)
}

func TestOwnersContendOneWins(t *testing.T) {
	rounds := 50_000
	if testing.Short() || stackhop.Backend().Name == "portable" {
		rounds = 500
	}
	ran := 0
	tk := spawn(t, func(tk *task) {
		for ran < rounds {
			tk.slot.Yield()
			ran++
		}
	})
	var won atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				switch err := tk.slot.Resume(); err {
				case nil:
					won.Add(1)
				case resume.ErrRunning:
				case resume.ErrDone:
					return
				default:
					t.Errorf("got %v, want nil, ErrRunning or ErrDone", err)
					return
				}
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, rounds, won.Load())
}

func TestBodysCallsFromOutsidePanic(t *testing.T) {
	var h resume.Handle
	tk := spawn(t, func(tk *task) { tk.suspend(&h) })
	require.PanicsWithValue(t, resume.ErrNotOnTask, func() { tk.slot.Yield() })
	require.PanicsWithValue(t, resume.ErrNotOnTask, func() { tk.suspend(&h) })
	require.NoError(t, h.Resume())
	require.Panics(t, func() { tk.slot.Yield() })
}

// Who is refused has the task all to itself still, to try elsewhere.
func TestATaskThatCouldNotBeginIsNobodyElses(t *testing.T) {
	if stackhop.Backend().Name == "portable" {
		t.Skip("portable backend: bubbles are not told apart")
	}
	c, err := stackhop.New(stackhop.Region{}, nil)
	require.NoError(t, err)
	ran := false
	tk := new(task)
	require.NoError(t, c.Reset(func(*stackhop.Coro) { ran = true; tk.slot.End() }))
	tk.slot.Begin(c, tk)
	synctest.Test(t, func(t *testing.T) {
		require.ErrorIs(t, tk.slot.Run(), stackhop.ErrBubble)
		tk.slot.Ask()
		require.Equal(t, cancel.Busy, tk.slot.Claim(true))
		require.ErrorIs(t, tk.slot.Resume(), resume.ErrRunning)
	})
	require.NoError(t, tk.slot.Run())
	require.True(t, ran)
	require.True(t, tk.slot.Done())
}
