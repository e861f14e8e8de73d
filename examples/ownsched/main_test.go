package main

import (
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/internal/testsupport"
	"github.com/stackhop/stackhop/leaf"
)

func TestMain(m *testing.M) { testsupport.Main(m) }

func Example() {
	main()
	// Output:
	// left window: draw line 0
	// right window: draw line 0
	// left window: draw line 1
	// right window: draw line 1
	// index: lock for chapter 0
	// index: unlock
	// index: lock for chapter 1
	// key: pressed, wait for the text
	// index: unlock
	// key: typed
	// index: lock for chapter 2
	// index: unlock
	// last window: show the index: <nil>
}

func TestUrgentFirstAndRoundRobin(t *testing.T) {
	var order []int
	require.NoError(t, run(func(s *sched) error {
		for i := range 9 {
			if _, err := s.start(i%3, func(task *ctx.Task) {
				for range 2 {
					order = append(order, i)
					turn(task)
				}
			}); err != nil {
				return err
			}
		}
		require.Empty(t, order, "nobody had a turn yet")
		return nil
	}))
	require.Equal(t, []int{0, 3, 6, 0, 3, 6, 1, 4, 7, 1, 4, 7, 2, 5, 8, 2, 5, 8}, order)
}

func TestErrors(t *testing.T) {
	require.ErrorIs(t, run(func(*sched) error { return io.ErrNoProgress }), io.ErrNoProgress)

	unwound := false
	err := run(func(s *sched) error {
		_, err := s.start(2, func(*ctx.Task) {
			defer func() { unwound = true }()
			_ = new(leaf.Event).Wait() // for ever
		})
		require.NoError(t, err)
		_, err = s.start(2, func(task *ctx.Task) { turn(task); panic(io.ErrNoProgress) })
		return err
	})
	var bug *ctx.PanicError
	require.ErrorAs(t, err, &bug)
	require.ErrorIs(t, err, io.ErrNoProgress)
	require.True(t, unwound, "what a failure leaves is cancelled")

	err = run(func(s *sched) error {
		_, err := s.start(0, func(*ctx.Task) { _ = new(leaf.Event).Wait() })
		return err
	})
	require.ErrorIs(t, err, ctx.ErrParentEnded, "nobody can go on, and not all have ended")
}

func TestCancelledTaskLosesItsTurn(t *testing.T) {
	ran := false
	err := run(func(s *sched) error {
		task, err := s.start(0, func(*ctx.Task) { ran = true })
		require.NoError(t, err)
		return task.Cancel(io.ErrNoProgress)
	})
	require.ErrorIs(t, err, io.ErrNoProgress)
	require.False(t, ran)
}
