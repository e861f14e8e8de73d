package guard_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/cancel"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/guard"
	"github.com/stackhop/stackhop/join"
	"github.com/stackhop/stackhop/resume"
)

func TestTransferBetweenHops(t *testing.T) {
	eachPolicy(t, func(t *testing.T, policy guard.Policy) {
		var order []string
		var h resume.Handle
		to := spawn(t, policy, func(*ctx.Task) {
			grow(func() {
				ctx.Suspend(func(own resume.Handle) { h = own })
				order = append(order, "to")
			})
		})
		from := spawn(t, policy, func(task *ctx.Task) {
			grow(func() {
				require.NoError(t, task.TransferTo(h, nil))
				order = append(order, "from")
			})
		})
		require.True(t, to.Done())
		require.Equal(t, []string{"to"}, order)
		require.NoError(t, from.Resume())
		require.True(t, from.Done())
		require.Equal(t, []string{"to", "from"}, order)
	})
}

// Children that begin in fn, on storage carved from the stack that it runs on.
func TestJoinInHop(t *testing.T) {
	eachPolicy(t, func(t *testing.T, policy guard.Policy) {
		sum := 0
		var h resume.Handle
		task := spawn(t, policy, func(task *ctx.Task) {
			own := task.Stack()
			grow(func() {
				if stackhop.Backend().Name == "asm" {
					require.NotSame(t, own, task.Stack())
				}
				require.NoError(t, join.Size(16<<10).All(
					func(arm *ctx.Task) error {
						arm.Suspend(func(own resume.Handle) { h = own })
						sum++
						return nil
					},
					func(arm *ctx.Task) error { grow(func() { sum += 10 }); return nil },
				))
			})
			require.Same(t, own, task.Stack())
		})
		require.Equal(t, 10, sum)
		require.NoError(t, h.Resume())
		require.True(t, task.Done())
		require.NoError(t, task.Err())
		require.Equal(t, 11, sum)
	})
}

func TestCancelHereInHop(t *testing.T) {
	eachPolicy(t, func(t *testing.T, policy guard.Policy) {
		cause := errors.New("enough")
		ran := false
		task := spawn(t, policy, func(task *ctx.Task) {
			grow(func() {
				defer func() { ran = true }()
				require.ErrorIs(t, task.Cancel(cause), cancel.ErrCancelPending)
				cancel.Here()
				t.Error("Here returned")
			})
		})
		require.ErrorIs(t, task.Err(), cause)
		require.True(t, ran)
	})
}
