package ctx_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/ctx"
)

func TestWarmCallsDoNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("race builds: the instrumentation allocates")
	}
	if portable() {
		t.Skip("portable backend: hand-over by channels allocates in the runtime")
	}
	body := func(*ctx.Task) {}
	own := ownStack(t, 0)
	for _, tc := range []struct {
		name string
		opts []ctx.Option
	}{
		{"default", nil},
		{"WithName", []ctx.Option{ctx.WithName("x")}},
		{"WithStackSize", []ctx.Option{ctx.WithStackSize(16 << 10)}},
		{"WithStrictStack", []ctx.Option{ctx.WithStrictStack(16 << 10)}},
		{"WithNativeStack", []ctx.Option{ctx.WithNativeStack()}},
		{"WithStack", []ctx.Option{ctx.WithStack(own)}},
		{"WithOnEnd", []ctx.Option{ctx.WithOnEnd(nobodyCares{})}},
		{"WithHome", []ctx.Option{ctx.WithHome(new(keeper))}},
		{"two options", []ctx.Option{ctx.WithName("x"), ctx.WithStackSize(16 << 10)}},
	} {
		t.Run("spawn, end, free/"+tc.name, func(t *testing.T) {
			require.Zero(t, testing.AllocsPerRun(100, func() {
				task, err := ctx.Spawn(body, tc.opts...)
				if err != nil || task.Free() != nil {
					t.Error(err)
				}
			}))
		})
	}
	t.Run("options given in the call", func(t *testing.T) {
		require.Zero(t, testing.AllocsPerRun(100, func() {
			task, _ := ctx.Spawn(body, ctx.WithName("x"), ctx.WithStackSize(16<<10))
			_ = task.Free()
		}))
	})
	t.Run("child and others by turns", func(t *testing.T) {
		var allocs float64
		spawn(t, func(parent *ctx.Task) {
			allocs = testing.AllocsPerRun(100, func() {
				task, _ := ctx.Spawn(body, ctx.WithParent(parent))
				_ = task.Free()
				task, _ = ctx.Spawn(body)
				_ = task.Free()
			})
		})
		require.Zero(t, allocs)
	})
	t.Run("kept", func(t *testing.T) { // on one stack: elsewhere one may be that was freed
		on := ctx.WithStack(own)
		require.EqualValues(t, 1, testing.AllocsPerRun(100, func() { _, _ = ctx.Spawn(body, on) }))
		require.EqualValues(t, 1, testing.AllocsPerRun(100, func() { _, _ = ctx.Spawn(body, on, ctx.WithName("x")) }), "extras come with it")
	})
	t.Run("yield, resume", func(t *testing.T) {
		stop := false
		task := spawn(t, func(task *ctx.Task) {
			for !stop {
				task.Yield()
			}
		})
		require.Zero(t, testing.AllocsPerRun(100, func() { _ = task.Resume() }))
		stop = true
		finish(t, task)
	})
	t.Run("suspend, handle resume", func(t *testing.T) {
		stop := false
		w := new(waiter)
		spawn(t, func(*ctx.Task) {
			for !stop {
				ctx.Current().SuspendTo(w)
			}
		})
		require.Zero(t, testing.AllocsPerRun(100, func() { _ = w.h.Resume() }))
		stop = true
		require.NoError(t, w.h.Resume())
	})
	t.Run("spawned inside a task", func(t *testing.T) {
		var allocs float64
		spawn(t, func(*ctx.Task) {
			allocs = testing.AllocsPerRun(100, func() {
				task, _ := ctx.Spawn(body)
				_ = task.Free()
			})
		})
		require.Zero(t, allocs)
	})
}
