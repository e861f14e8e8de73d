package tests

import (
	"context"
	"testing"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/mmapstack"
	"github.com/stackhop/stackhop/resume"
	"github.com/stretchr/testify/require"
)

var labelContext = context.Background()

// taskRunners start tasks of package ctx.
var taskRunners = []runner{
	{"task/default", startTask(func(testing.TB) ctx.Option { return ctx.WithName("default") })},
	{"task/sized", startTask(func(testing.TB) ctx.Option { return ctx.WithStackSize(64 << 10) })},
	{"task/strict", startTask(func(testing.TB) ctx.Option { return ctx.WithStrictStack(64 << 10) })},
	{"task/native", startTask(func(testing.TB) ctx.Option { return ctx.WithNativeStack() })},
	{"task/own", startTask(func(tb testing.TB) ctx.Option {
		s := stackOrSkip(mmapstack.New(64 << 10))(tb)
		tb.Cleanup(func() { require.NoError(tb, s.Close()) })
		return ctx.WithStack(s)
	})},
	{"task/handle", startByHandle},
}

func startTask(option func(tb testing.TB) ctx.Option) func(testing.TB, func(func())) func() bool {
	return func(tb testing.TB, body func(yield func())) func() bool {
		var task *ctx.Task
		opt := option(tb)
		return func() bool {
			if task != nil {
				require.NoError(tb, task.Resume())
			} else {
				task = spawn(tb, func(t *ctx.Task) { body(t.Yield) }, opt)
			}
			if task.Done() {
				require.NoError(tb, task.Err())
			}
			return task.Done()
		}
	}
}

// startByHandle suspends under handles, by the package's own Suspend.
func startByHandle(tb testing.TB, body func(yield func())) func() bool {
	var task *ctx.Task
	var h resume.Handle
	publish := func(own resume.Handle) { h = own }
	return func() bool {
		if task != nil {
			require.True(tb, h.Live())
			old := h
			require.NoError(tb, h.Resume())
			require.False(tb, old.Live())
			require.ErrorIs(tb, old.Resume(), resume.ErrStale)
		} else {
			task = spawn(tb, func(*ctx.Task) { body(func() { ctx.Suspend(publish) }) })
		}
		if task.Done() {
			require.NoError(tb, task.Err())
		}
		return task.Done()
	}
}

func spawn(tb testing.TB, body func(t *ctx.Task), opts ...ctx.Option) *ctx.Task {
	tb.Helper()
	task, err := ctx.Spawn(body, opts...)
	require.NoError(tb, err)
	return task
}
