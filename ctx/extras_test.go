package ctx_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/cancel"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
)

func rounds() int {
	if testing.Short() || raceEnabled {
		return 2000
	}
	return 20000
}

func TestATaskWithoutExtrasAnswersLikeOneWithNewOnes(t *testing.T) {
	plain := spawn(t, func(task *ctx.Task) { task.Yield() })
	other := spawn(t, func(task *ctx.Task) { task.Yield() }, ctx.WithName("other"))
	for _, task := range []*ctx.Task{plain, other} {
		require.Nil(t, task.Parent())
		require.Nil(t, task.Home())
		require.NoError(t, task.Err())
		require.False(t, task.CancelPending())
		task.SetHome(nil)
		require.Nil(t, task.Home())
		finish(t, task)
	}
}

// What a task was given is not the next task's on the same memory.
func TestExtrasAreRenewedWithTheTask(t *testing.T) {
	opts := ctx.WithStack(ownStack(t, 256<<10))
	ended := 0
	first := spawn(t, func(task *ctx.Task) {
		spawn(t, func(*ctx.Task) {}, ctx.WithParent(task))
		task.Yield()
	}, opts, ctx.WithName("first"), ctx.WithHome(new(keeper)), ctx.WithOnEnd(endFunc(func(*ctx.Task) { ended++ })))
	c := first.Context()
	require.NoError(t, first.Cancel(errWhy))
	require.ErrorIs(t, first.Wait(), errWhy)
	require.ErrorIs(t, context.Cause(c), errWhy)
	require.NoError(t, first.Free())
	second := spawn(t, func(task *ctx.Task) { task.Yield() }, opts)
	if !portable() {
		require.Same(t, first, second)
	}
	require.NotContains(t, second.String(), "first")
	require.Nil(t, second.Home())
	require.NoError(t, second.Err())
	require.NoError(t, second.Context().Err())
	finish(t, second)
	require.NoError(t, second.Err())
	require.Equal(t, 1, ended)
}

// All who may be the first to need a task's extras, at its end and at the same time:
// nobody waits for ever, and all hear the same. The Task serves again and again.
func TestExtrasAreMadeWhileTheTaskEnds(t *testing.T) {
	for i := range rounds() {
		var k keeper
		task := spawn(t, func(task *ctx.Task) { task.SuspendTo(&k) })
		spin := func(n int) {
			for range n % 32 {
				_ = task.Done()
			}
		}
		var wg sync.WaitGroup
		var contexts [2]context.Context
		var waits [3]error
		var refused error
		wg.Go(func() { spin(i); refused = task.Cancel(errWhy) })
		wg.Go(func() { spin(i / 2); waits[0] = task.Wait() })
		wg.Go(func() {
			spin(i / 3)
			waiter, err := ctx.Spawn(func(*ctx.Task) { waits[1] = task.Wait() })
			if err != nil {
				waits[1] = err
				return
			}
			_ = waiter.Wait()
		})
		wg.Go(func() { spin(i / 5); contexts[0] = task.Context() })
		wg.Go(func() { spin(i / 7); contexts[1] = task.Context(); _ = task.String() })
		_ = k.h.Resume()
		waits[2] = task.Wait()
		wg.Wait()
		require.True(t, task.Done())
		for _, err := range waits {
			require.Equal(t, task.Err(), err)
		}
		if task.Err() != nil {
			require.ErrorIs(t, task.Err(), errWhy)
		}
		if refused != nil {
			require.ErrorIs(t, refused, cancel.ErrCancelPending)
		}
		require.Equal(t, contexts[0], contexts[1])
		<-contexts[0].Done()
		require.NoError(t, task.Free())
	}
}

// Each of them alone against the end of a task that has no extras yet, and never had.
func TestOneMakesExtrasWhileTheTaskEnds(t *testing.T) {
	for name, use := range map[string]func(task *ctx.Task) error{
		"Cancel": func(task *ctx.Task) error {
			if err := task.Cancel(errWhy); err != nil && err != cancel.ErrCancelPending {
				return err
			}
			return nil
		},
		"Wait": func(task *ctx.Task) error {
			if err := task.Wait(); !task.Done() {
				return errors.Join(errors.New("not done"), err)
			}
			return nil
		},
		"Wait on a task": func(task *ctx.Task) error {
			done := false
			waiter, err := ctx.Spawn(func(*ctx.Task) { _ = task.Wait(); done = task.Done() })
			if err == nil {
				err = waiter.Wait()
			}
			if err == nil && !done {
				err = errors.New("not done")
			}
			return err
		},
		"Context": func(task *ctx.Task) error {
			<-task.Context().Done()
			if !task.Done() {
				return errors.New("not done")
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			for i := range rounds() {
				var k keeper
				task := spawn(t, func(task *ctx.Task) { task.SuspendTo(&k) })
				var err error
				var wg sync.WaitGroup
				wg.Go(func() {
					for range i % 64 {
						_ = task.Done()
					}
					err = use(task)
				})
				_ = k.h.Resume()
				wg.Wait()
				require.NoError(t, err)
				require.True(t, task.Done()) // not freed: the next one has none either
			}
		})
	}
}

// The owner sees the end, frees the task, and spawns the next one, with all extras, on
// the same memory, while who ran the first one to its end still looks for those who
// wait for it.
func TestATaskServesAgainWhileItsEndIsStillBeingTold(t *testing.T) {
	stack := ownStack(t, 256<<10)
	for i := range rounds() {
		var k keeper
		task := spawn(t, func(task *ctx.Task) { task.SuspendTo(&k) }, ctx.WithStack(stack))
		var wg sync.WaitGroup
		wg.Go(func() { _ = k.h.Resume() })
		if i%3 == 0 {
			_ = task.Wait() // has extras made
		}
		for !task.Done() {
			if i%2 == 0 {
				runtime.Gosched()
			}
		}
		require.NoError(t, task.Free())

		var ends atomic.Int32
		var own resume.Handle
		next := spawn(t, func(task *ctx.Task) { task.Suspend(keep(&own)) }, ctx.WithStack(stack),
			ctx.WithName("next"), ctx.WithOnEnd(endFunc(func(*ctx.Task) { ends.Add(1) })))
		c := next.Context()
		var early bool
		wg.Go(func() { _ = next.Wait(); early = !next.Done() })
		require.NoError(t, c.Err())
		require.False(t, next.CancelPending())
		require.NoError(t, own.Resume())
		wg.Wait()
		require.False(t, early)
		require.EqualValues(t, 1, ends.Load())
		<-c.Done()
		require.NoError(t, next.Free())
	}
}

// A context cancels the task late, or never: it does not meet the next one.
func TestAContextDoesNotMeetTheNextTask(t *testing.T) {
	for i := range rounds() {
		c, stop := context.WithCancelCause(context.Background())
		var k keeper
		task := spawn(t, func(task *ctx.Task) { task.SuspendTo(&k) }, ctx.WithContext(c))
		var wg sync.WaitGroup
		wg.Go(func() {
			for range i % 64 {
				_ = task.Done()
			}
			stop(errWhy)
		})
		_ = k.h.Resume()
		_ = task.Wait()
		require.NoError(t, task.Free())
		next := spawn(t, func(task *ctx.Task) { task.Yield() })
		wg.Wait()
		finish(t, next)
		require.NoError(t, next.Err())
		require.NoError(t, next.Free())
	}
}
