package ctx_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/mmapstack"
)

func usePool(t *testing.T) *mmapstack.Pool {
	mapped(t)
	pool, err := mmapstack.NewPool(32 << 10)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pool.Close()) })
	return pool
}

const putUnderTask = "mmapstack: Put of a stack that a coroutine is on; let the coroutine or task end first, or cancel it. " +
	"A stack that ctx took from the pool goes back by itself"

// A stack must not go back to its pool under a suspended task: the next task would
// lie on the same memory.
func TestPutUnderASuspendedTaskPanics(t *testing.T) {
	pool := usePool(t)
	s, err := pool.Get()
	require.NoError(t, err)
	task := spawn(t, func(task *ctx.Task) { task.Yield() }, ctx.WithStack(s))
	require.PanicsWithValue(t, putUnderTask, func() { pool.Put(s) })

	ran := false
	other := spawn(t, func(*ctx.Task) { ran = true }, ctx.WithPool(pool))
	require.True(t, other.Done())
	require.True(t, ran, "a task says that it is done, and its body never ran")

	finish(t, task)
	pool.Put(s)
	require.PanicsWithValue(t, "mmapstack: Put of a stack that is not out; drop the second Put", func() { pool.Put(s) })

	// The stale pointer is of no use while a task of the pool's is there, either.
	ran = false
	task = spawn(t, func(task *ctx.Task) { ran = true; task.Yield() }, ctx.WithPool(pool))
	require.True(t, ran)
	if again := task.Stack(); again != nil { // nil: on a stack of the runtime
		require.PanicsWithValue(t, putUnderTask, func() { pool.Put(again) })
		_, err = ctx.Spawn(func(*ctx.Task) { t.Error("the body began") }, ctx.WithStack(again))
		require.ErrorIs(t, err, ctx.ErrStackInUse)
	}
	finish(t, task)
}

// A task that has not begun has its stack already.
func TestPutUnderATaskThatHasNotBegunPanics(t *testing.T) {
	pool := usePool(t)
	s, err := pool.Get()
	require.NoError(t, err)
	task, err := ctx.New(func(*ctx.Task) {}, ctx.WithStack(s))
	require.NoError(t, err)
	require.PanicsWithValue(t, putUnderTask, func() { pool.Put(s) })
	require.NoError(t, task.Cancel(nil))
	pool.Put(s)
}

func TestNoTaskStartsOnAStackThatIsNotTheCallers(t *testing.T) {
	body := func(*ctx.Task) { t.Error("the body began") }
	for name, giveUp := range map[string]struct {
		do   func(t *testing.T, pool *mmapstack.Pool)
		want error
	}{
		"idle in its pool":            {func(*testing.T, *mmapstack.Pool) {}, mmapstack.ErrIdle},
		"unmapped by Trim":            {func(_ *testing.T, pool *mmapstack.Pool) { pool.Trim() }, mmapstack.ErrClosed},
		"unmapped by Close":           {func(t *testing.T, pool *mmapstack.Pool) { require.NoError(t, pool.Close()) }, mmapstack.ErrClosed},
		"unmapped, and the pool goes": {func(_ *testing.T, pool *mmapstack.Pool) { pool.Trim(); s, _ := pool.Get(); pool.Put(s) }, mmapstack.ErrClosed},
	} {
		for _, used := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				mapped(t)
				pool, err := mmapstack.NewPool(32 << 10)
				require.NoError(t, err)
				s, err := pool.Get()
				require.NoError(t, err)
				if used {
					spawn(t, func(*ctx.Task) {}, ctx.WithStack(s))
				}
				pool.Put(s)
				giveUp.do(t, pool)

				_, err = ctx.Spawn(body, ctx.WithStack(s))
				require.ErrorIs(t, err, ctx.ErrOption)
				require.ErrorIs(t, err, giveUp.want)
				_, err = ctx.New(body, ctx.WithStack(s))
				require.ErrorIs(t, err, giveUp.want)
				_, err = s.Carve(8 << 10)
				require.ErrorIs(t, err, giveUp.want)
				require.ErrorIs(t, s.Evict(), giveUp.want)
				require.Panics(t, func() { s.Attach(1) })
				require.Panics(t, func() { pool.Put(s) })
				_ = pool.Close()
			})
		}
	}
}

// The other ends of a stack's use refuse likewise while a task is on it.
func TestNothingTakesTheMemoryFromUnderATask(t *testing.T) {
	s := ownStack(t, 256<<10)
	task := spawn(t, func(task *ctx.Task) { task.Yield() }, ctx.WithStack(s))
	require.ErrorIs(t, s.Close(), ctx.ErrStackInUse)
	require.ErrorIs(t, s.Evict(), ctx.ErrStackInUse)
	require.ErrorIs(t, s.Enter(), mmapstack.ErrBusy)
	require.Panics(t, s.ResetHighWater)
	finish(t, task)
	require.False(t, s.Entered())
	require.Panics(t, s.Leave)

	k, err := s.Carve(32 << 10)
	require.NoError(t, err)
	task = spawn(t, func(task *ctx.Task) { task.Yield() }, ctx.WithStack(k))
	require.ErrorIs(t, k.Close(), ctx.ErrStackInUse)
	require.ErrorIs(t, s.Close(), mmapstack.ErrOrder)
	finish(t, task)
	require.NoError(t, k.Close())
}
