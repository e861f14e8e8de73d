package tests

import (
	"errors"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/guard"
	"github.com/stackhop/stackhop/internal/testsupport"
	"github.com/stackhop/stackhop/leaf"
	"github.com/stackhop/stackhop/sched"
)

// With GODEBUG=panicnil=1 recover does not tell panic(nil) from runtime.Goexit. The
// library does.
func TestPanicNilIsAPanic(t *testing.T) {
	t.Setenv("GODEBUG", "panicnil=1")
	requireNil := func(err error) {
		t.Helper()
		var panicked *ctx.PanicError
		require.ErrorAs(t, err, &panicked)
		require.IsType(t, new(runtime.PanicNilError), panicked.Value)
		require.Contains(t, string(panicked.Stack), "TestPanicNilIsAPanic")
	}
	bodies := map[string][]ctx.Option{"default": nil, "native": {ctx.WithNativeStack()}, "sized": {ctx.WithStackSize(64 << 10)}}
	for name, opts := range bodies {
		t.Run(name, func(t *testing.T) {
			task, err := ctx.Spawn(func(*ctx.Task) { panic(nil) }, opts...)
			require.NoError(t, err)
			requireNil(task.Err())

			task, err = ctx.Spawn(func(*ctx.Task) { runtime.Goexit() }, opts...)
			require.NoError(t, err)
			require.Equal(t, ctx.ErrGoexit, task.Err())

			task, err = ctx.Spawn(func(*ctx.Task) { // the Goexit ends the panic
				defer runtime.Goexit()
				panic(nil)
			}, opts...)
			require.NoError(t, err)
			require.Equal(t, ctx.ErrGoexit, task.Err())

			task, err = ctx.Spawn(func(*ctx.Task) { // recovered
				defer func() { _ = recover() }()
				panic(nil)
			}, opts...)
			require.NoError(t, err)
			require.NoError(t, task.Err())

			why := errors.New("why")
			task, err = ctx.Spawn(func(task *ctx.Task) {
				defer func() { panic(nil) }()
				task.Yield()
			}, opts...)
			require.NoError(t, err)
			require.NoError(t, task.Cancel(why))
			requireNil(task.Err())
			require.ErrorIs(t, task.Err(), why, "and why it was cancelled")
		})
	}
	t.Run("AwaitFunc", func(t *testing.T) {
		var caught any
		task, err := ctx.Spawn(func(*ctx.Task) {
			defer func() { caught = recover() }()
			_, _ = leaf.AwaitFunc(func() (int, error) { panic(nil) })
		})
		require.NoError(t, err)
		require.NoError(t, task.Wait())
		require.IsType(t, new(ctx.PanicError), caught)
		require.IsType(t, new(runtime.PanicNilError), caught.(*ctx.PanicError).Value)
	})
	t.Run("Pool.Do", func(t *testing.T) {
		pool, err := sched.NewPool(1)
		require.NoError(t, err)
		require.NoError(t, pool.Do(func() { panic(nil) }))
		err = pool.Close()
		var panicked *sched.PanicError
		require.ErrorAs(t, err, &panicked)
		require.IsType(t, new(runtime.PanicNilError), panicked.Value)
	})
	t.Run("Coro", func(t *testing.T) {
		result := testsupport.RunChild(t, "panicnil", childLimit, "GODEBUG=panicnil=1")
		require.Equal(t, 2, result.Code, result.Stderr)
		require.Contains(t, result.Stderr, "panic called with nil argument")
	})
	t.Run("Grow", func(t *testing.T) {
		panicked := true
		task, err := ctx.Spawn(func(*ctx.Task) {
			defer func() { _ = recover() }() // nil: it is a panic with nil
			guard.Grow(128<<10, func() { panic(nil) })
			panicked = false
		}, ctx.WithNativeStack())
		require.NoError(t, err)
		require.NoError(t, task.Err())
		require.True(t, panicked)
	})
}

var _ = testsupport.Child("panicnil", func() {
	c, err := stackhop.New(stackhop.Region{}, func(*stackhop.Coro) { panic(nil) })
	if err != nil {
		panic(err)
	}
	c.Switch()
})
