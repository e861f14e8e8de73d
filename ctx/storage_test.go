package ctx_test

import (
	"io"
	"math"
	"runtime"
	"runtime/trace"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/guard"
	"github.com/stackhop/stackhop/mmapstack"
	"github.com/stackhop/stackhop/resume"
)

func TestBadOptions(t *testing.T) {
	body := func(*ctx.Task) { t.Error("the body began") }
	for _, tc := range []struct {
		name   string
		opts   func(t *testing.T) []ctx.Option
		option string
		value  any
	}{
		{"nil stack", func(*testing.T) []ctx.Option { return []ctx.Option{ctx.WithStack(nil)} }, "WithStack", (*mmapstack.Stack)(nil)},
		{"size 0", func(*testing.T) []ctx.Option { return []ctx.Option{ctx.WithStackSize(0)} }, "WithStackSize", 0},
		{"size below 0", func(*testing.T) []ctx.Option { return []ctx.Option{ctx.WithStackSize(-1)} }, "WithStackSize", -1},
		{"size of more than can grow", func(*testing.T) []ctx.Option { return []ctx.Option{ctx.WithStackSize(mmapstack.GrowMax + 1)} }, "WithStackSize", mmapstack.GrowMax + 1},
		{"strict size 0", func(*testing.T) []ctx.Option { return []ctx.Option{ctx.WithStrictStack(0)} }, "WithStrictStack", 0},
		{"strict size too large", func(*testing.T) []ctx.Option { return []ctx.Option{ctx.WithStrictStack(math.MaxInt)} }, "WithStrictStack", math.MaxInt},
		{"size too large", func(*testing.T) []ctx.Option { return []ctx.Option{ctx.WithStackSize(math.MaxInt)} }, "WithStackSize", math.MaxInt},
		{"two kinds", func(*testing.T) []ctx.Option {
			return []ctx.Option{ctx.WithNativeStack(), ctx.WithStackSize(1 << 16)}
		}, "WithStackSize", 1 << 16},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := ctx.Spawn(body, tc.opts(t)...)
			require.ErrorIs(t, err, ctx.ErrOption)
			var oe *ctx.OptionError
			require.ErrorAs(t, err, &oe)
			require.Equal(t, tc.option, oe.Option)
			require.Equal(t, tc.value, oe.Value)
			require.NotEmpty(t, oe.Limit)
		})
	}
	t.Run("closed stack", func(t *testing.T) {
		mapped(t)
		s, err := mmapstack.New(0)
		require.NoError(t, err)
		require.NoError(t, s.Close())
		_, err = ctx.Spawn(body, ctx.WithStack(s))
		require.ErrorIs(t, err, ctx.ErrOption)
		require.ErrorIs(t, err, mmapstack.ErrClosed)
	})
	t.Run("foreign attachment", func(t *testing.T) {
		s := ownStack(t, 0)
		s.Attach("something")
		_, err := ctx.Spawn(body, ctx.WithStack(s))
		require.ErrorIs(t, err, ctx.ErrOption)
		s.Attach(nil)
	})
}

func TestTwoTasksOnOneStack(t *testing.T) {
	s := ownStack(t, 0)
	first := spawn(t, func(task *ctx.Task) { task.Yield() }, ctx.WithStack(s))
	_, err := ctx.Spawn(func(*ctx.Task) {}, ctx.WithStack(s))
	require.ErrorIs(t, err, ctx.ErrStackInUse)
	require.ErrorIs(t, s.Close(), ctx.ErrStackInUse, "the task would lose its stack")
	_, err = s.Carve(16 << 10)
	require.ErrorIs(t, err, ctx.ErrStackInUse)
	finish(t, first)
	require.True(t, spawn(t, func(*ctx.Task) {}, ctx.WithStack(s)).Done())
}

// A stack that tasks ran on is carved, serves, and is made whole again.
func TestCarveBetweenTasks(t *testing.T) {
	s := ownStack(t, 256<<10)
	for range 3 {
		spawn(t, func(*ctx.Task) { dive(100, func() {}) }, ctx.WithStack(s))
		k, err := s.Carve(32 << 10)
		require.NoError(t, err)
		var hs, hk resume.Handle
		below := spawn(t, func(*ctx.Task) { dive(50, func() { ctx.Suspend(keep(&hk)) }) }, ctx.WithStack(k))
		above := spawn(t, func(*ctx.Task) { dive(50, func() { ctx.Suspend(keep(&hs)) }) }, ctx.WithStack(s))
		require.NoError(t, hk.Resume())
		require.NoError(t, hs.Resume())
		require.True(t, below.Done())
		require.True(t, above.Done())
		require.NoError(t, k.Close())
	}
}

// What served on a carved stack stays for the next task, and leaves when the stack
// changes: also if somebody may be looking, who keeps it from being just dropped.
func TestCarvedStackServesManyTasks(t *testing.T) {
	mapped(t)
	s, err := mmapstack.New(256 << 10)
	require.NoError(t, err)
	whole := s.Region()
	for i := range 20 {
		if i == 10 {
			if trace.IsEnabled() {
				break
			}
			require.NoError(t, trace.Start(io.Discard))
			defer trace.Stop()
		}
		k, err := s.Carve(64 << 10)
		require.NoError(t, err)
		var h resume.Handle
		serve := func() {
			task := spawn(t, func(task *ctx.Task) {
				require.Same(t, k, task.Stack())
				require.Equal(t, k.Region(), stackhop.Current().Region())
				dive(50, func() { ctx.Suspend(keep(&h)) })
			}, ctx.WithStack(k))
			_, err := k.Carve(16 << 10)
			require.ErrorIs(t, err, ctx.ErrStackInUse)
			require.Error(t, k.Close())
			_, err = ctx.Spawn(func(*ctx.Task) {}, ctx.WithStack(k))
			require.ErrorIs(t, err, ctx.ErrStackInUse)
			if i%4 == 3 {
				require.NoError(t, task.Cancel(nil))
			} else {
				require.NoError(t, h.Resume())
			}
			require.True(t, task.Done())
		}
		serve()
		serve()
		inner, err := k.Carve(16 << 10)
		require.NoError(t, err)
		finish(t, spawn(t, func(task *ctx.Task) { task.Yield() }, ctx.WithStack(inner)))
		serve()
		require.NoError(t, inner.Close())
		serve()
		runtime.GC()
		require.NoError(t, k.Close())
		require.Equal(t, whole, s.Region())
	}
	require.NoError(t, s.Close())
}

func TestOwnStackServesManyTasksThenCloses(t *testing.T) {
	mapped(t)
	s, err := mmapstack.New(0)
	require.NoError(t, err)
	for range 10 {
		task := spawn(t, func(task *ctx.Task) { task.Yield() }, ctx.WithStack(s))
		finish(t, task)
	}
	require.NoError(t, s.Close())
	_, err = ctx.Spawn(func(*ctx.Task) {}, ctx.WithStack(s))
	require.ErrorIs(t, err, ctx.ErrOption)
}

// A stack of a pool may come from the caller, too; what was made for it stays with it,
// and it goes back to whom it came from.
func TestPooledStackFromTheCaller(t *testing.T) {
	if stackhop.Backend().Name == "portable" {
		t.Skip("WithPool uses a stack of the runtime")
	}
	pool, err := mmapstack.NewPool(32<<10, mmapstack.WithMax(1))
	require.NoError(t, err)
	for range 3 {
		s, err := pool.GetAttached()
		require.NoError(t, err)
		for range 2 {
			task, err := ctx.Spawn(func(t *ctx.Task) { t.Yield() }, ctx.WithStack(s))
			require.NoError(t, err)
			_, err = ctx.Spawn(func(*ctx.Task) {}, ctx.WithPool(pool))
			require.ErrorIs(t, err, mmapstack.ErrLimit, "it is the caller's")
			require.NoError(t, task.Resume())
			require.True(t, task.Done())
		}
		pool.Put(s)
		for range 3 { // each gives it back
			task, err := ctx.Spawn(func(*ctx.Task) {}, ctx.WithPool(pool))
			require.NoError(t, err)
			require.True(t, task.Done())
		}
	}
	require.NoError(t, pool.Close())
}

func TestTrimEndsIdleCoroutines(t *testing.T) {
	if portable() {
		t.Skip("portable backend: no mapped stacks in use")
	}
	const size = 32 << 10
	growing, err := guard.Default(size)
	require.NoError(t, err)
	for _, kind := range []struct {
		opt  ctx.Option
		pool *mmapstack.Pool
	}{
		{ctx.WithStackSize(size), growing},
		{ctx.WithStrictStack(size), mmapstack.Default(size)},
	} {
		var tasks []*ctx.Task
		for range 20 {
			tasks = append(tasks, spawn(t, func(task *ctx.Task) {
				require.Same(t, kind.pool, task.Stack().Pool())
				task.Yield()
			}, kind.opt))
		}
		for _, task := range tasks {
			finish(t, task)
		}
		require.GreaterOrEqual(t, kind.pool.Trim(), 20)
		finish(t, spawn(t, func(task *ctx.Task) { task.Yield() }, kind.opt))
	}
}

func TestManySuspendedTasks(t *testing.T) {
	n := 2000
	if testing.Short() {
		n = 200
	}
	handles := make([]resume.Handle, n)
	sum := 0
	for i := range n {
		spawn(t, func(*ctx.Task) {
			x := i
			ctx.Suspend(keep(&handles[i]))
			sum += x
		}, ctx.WithStackSize(16<<10))
	}
	for i := range handles {
		require.NoError(t, handles[n-1-i].Resume())
	}
	require.Equal(t, n*(n-1)/2, sum)
}
