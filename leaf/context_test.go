package leaf_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/leaf"
)

type requestKey struct{}

func TestATimeoutsBodySeesTheContextOfTheCaller(t *testing.T) {
	c, stop := context.WithTimeout(context.WithValue(context.Background(), requestKey{}, "request"), time.Hour)
	defer stop()
	var of context.Context
	task := spawn(t, func(*ctx.Task) {
		noError(t, leaf.Timeout(time.Hour, func(task *ctx.Task) error {
			require.Equal(t, "request", task.Context().Value(requestKey{}))
			_, ok := task.Context().Deadline()
			require.True(t, ok)
			return nil
		}))
		err := leaf.Timeout(time.Millisecond, func(task *ctx.Task) error {
			of = task.Context()
			<-of.Done()
			return leaf.Sleep(time.Hour)
		})
		require.ErrorIs(t, err, leaf.ErrTimeout)
		require.ErrorIs(t, context.Cause(of), leaf.ErrTimeout)
	}, ctx.WithContext(c))
	require.NoError(t, task.Wait())
	require.NoError(t, c.Err())
}
