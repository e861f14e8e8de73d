package goleak

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/join"
)

// TestMain is the recipe for a package: tasks that have ended leave idle coroutines,
// which are goroutines. Without these goleak counts what is in use.
func TestMain(m *testing.M) {
	code := m.Run()
	if _, err := ctx.RetireIdle(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// verify is the recipe for one test: defer verify(t)().
func verify(t *testing.T) func() {
	if _, err := ctx.RetireIdle(); err != nil {
		t.Fatal(err)
	}
	before := goleak.IgnoreCurrent()
	return func() {
		if _, err := ctx.RetireIdle(); err != nil {
			t.Error(err)
		}
		goleak.VerifyNone(t, before)
		ctx.CheckLeaks(t)
	}
}

func use(t *testing.T, opts ...ctx.Option) {
	for i := range 100 {
		task, err := ctx.Spawn(func(task *ctx.Task) {
			require.NoError(t, join.All(
				func(a *ctx.Task) error { return nil },
				func(b *ctx.Task) error { return nil }))
			task.Yield()
		}, opts...)
		require.NoError(t, err)
		if i%2 == 0 {
			require.NoError(t, task.Cancel(nil))
		} else {
			require.NoError(t, task.Resume())
		}
	}
}

func TestTasksThatEndedLeaveNothingForGoleak(t *testing.T) {
	for _, opts := range [][]ctx.Option{nil, {ctx.WithStackSize(64 << 10)}, {ctx.WithStrictStack(64 << 10)}} {
		done := verify(t)
		use(t, opts...)
		done()
	}
}

func TestGoleakCountsIdleCoroutinesUntilTheyRetire(t *testing.T) {
	if stackhop.Backend().Name == "portable" {
		t.Skip("the portable backend keeps no idle coroutine")
	}
	defer verify(t)()
	before := goleak.IgnoreCurrent()
	use(t)
	require.Error(t, goleak.Find(before))
	_, err := ctx.RetireIdle()
	require.NoError(t, err)
	require.NoError(t, goleak.Find(before))
}

func TestGoleakFindsADroppedTask(t *testing.T) {
	defer verify(t)()
	before := goleak.IgnoreCurrent()
	task, err := ctx.Spawn(func(task *ctx.Task) { task.Yield() })
	require.NoError(t, err)
	_, err = ctx.RetireIdle()
	require.NoError(t, err)
	require.ErrorContains(t, goleak.Find(before), "TestGoleakFindsADroppedTask.func1")
	require.NoError(t, task.Resume())
}
