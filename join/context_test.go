package join_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/join"
)

type requestKey struct{}

// Whatever starts it, an arm sees the request that its caller serves.
func TestArmsSeeTheContextOfTheCaller(t *testing.T) {
	c, stop := context.WithTimeout(context.WithValue(context.Background(), requestKey{}, "request"), time.Hour)
	defer stop()
	seen := 0
	arm := func(task *ctx.Task) error {
		seen++
		require.Equal(t, "request", task.Context().Value(requestKey{}))
		_, ok := task.Context().Deadline()
		require.True(t, ok)
		return nil
	}
	other := func(task *ctx.Task) error {
		seen++
		require.Equal(t, "other", task.Context().Value(requestKey{}))
		return nil
	}
	task, err := ctx.Spawn(func(task *ctx.Task) {
		require.NoError(t, join.All(arm, arm))
		require.NoError(t, join.Size(16<<10).All(arm, arm))
		require.NoError(t, join.Each(2, func(task *ctx.Task, _ int) error { return arm(task) }))
		_, err := join.Any(arm)
		require.NoError(t, err)
		_, err = join.Race(arm)
		require.NoError(t, err)
		_, err = join.Select(join.Body(arm))
		require.NoError(t, err)
		require.NoError(t, join.Within(func(s *join.Scope) error {
			s.Go(arm)
			s.Go(func(task *ctx.Task) error {
				s.Go(arm) // another's
				return join.All(arm)
			})
			s.Go(other, ctx.WithContext(context.WithValue(c, requestKey{}, "other")))
			return nil
		}))
		defer func() { // arms of a caller that unwinds: a context that has ended would be of no use
			require.NoError(t, join.All(func(arm *ctx.Task) error {
				seen++
				require.Equal(t, "request", arm.Context().Value(requestKey{}))
				return arm.Context().Err()
			}))
		}()
		task.Yield()
	}, ctx.WithContext(c))
	require.NoError(t, err)
	require.NoError(t, task.Cancel(nil))
	require.Equal(t, 14, seen)
}

// One arm's failure ends the context of the others.
func TestAFailureEndsTheContextsOfOtherArms(t *testing.T) {
	var of context.Context
	err := join.All(
		func(task *ctx.Task) error { of = task.Context(); task.Yield(); return nil },
		func(*ctx.Task) error { return errOne },
	)
	require.ErrorIs(t, err, errOne)
	require.ErrorIs(t, context.Cause(of), errOne)
}
