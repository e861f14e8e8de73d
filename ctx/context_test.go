package ctx_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/ctx"
)

type valueKey struct{ n int }

// requestContext is one as a server has it: with a value and a deadline.
func requestContext(t testing.TB) (c context.Context, deadline time.Time) {
	deadline = time.Now().Add(time.Hour)
	c, stop := context.WithDeadline(context.WithValue(context.Background(), valueKey{1}, "request"), deadline)
	t.Cleanup(stop)
	return c, deadline
}

func TestAChildSeesTheContextOfItsParent(t *testing.T) {
	c, deadline := requestContext(t)
	sees := func(task *ctx.Task) {
		require.Equal(t, "request", task.Context().Value(valueKey{1}))
		got, ok := task.Context().Deadline()
		require.True(t, ok)
		require.True(t, deadline.Equal(got))
	}
	asked := 0
	for _, parentAsks := range []bool{false, true} {
		parent := spawn(t, func(parent *ctx.Task) {
			if parentAsks {
				sees(parent)
			}
			spawn(t, func(child *ctx.Task) {
				spawn(t, func(grandchild *ctx.Task) { sees(grandchild); asked++ }, ctx.WithParent(child))
				spawn(t, func(grandchild *ctx.Task) { sees(grandchild); asked++ }, ctx.WithParent(parent))
				sees(child)
				child.Yield()
				sees(child)
			}, ctx.WithParent(parent))
			spawn(t, func(other *ctx.Task) {
				require.Nil(t, other.Context().Value(valueKey{1}), "no child")
			})
		}, ctx.WithContext(c))
		require.ErrorIs(t, parent.Wait(), nil)
	}
	require.Equal(t, 4, asked)
}

func TestWithContextOverridesTheParent(t *testing.T) {
	c, _ := requestContext(t)
	own := context.WithValue(context.Background(), valueKey{2}, "own")
	parent := spawn(t, func(parent *ctx.Task) {
		child := spawn(t, func(child *ctx.Task) {
			require.Nil(t, child.Context().Value(valueKey{1}))
			require.Equal(t, "own", child.Context().Value(valueKey{2}))
			_, ok := child.Context().Deadline()
			require.False(t, ok)
			spawn(t, func(grandchild *ctx.Task) {
				require.Nil(t, grandchild.Context().Value(valueKey{1}))
				require.Equal(t, "own", grandchild.Context().Value(valueKey{2}))
			}, ctx.WithParent(child))
		}, ctx.WithParent(parent), ctx.WithContext(own))
		require.NoError(t, child.Err())
	}, ctx.WithContext(c))
	require.NoError(t, parent.Err())
}

func TestATaskWithoutParentAndOptionHasAnEmptyContext(t *testing.T) {
	task := spawn(t, func(task *ctx.Task) {
		_, ok := task.Context().Deadline()
		require.False(t, ok)
		require.Nil(t, task.Context().Value(valueKey{1}))
		require.NoError(t, task.Context().Err())
	})
	require.NoError(t, task.Err())
}

// A child's context ends with the child, and its parent's with the parent.
func TestCancellingAChildEndsItsContextWithTheCause(t *testing.T) {
	c, _ := requestContext(t)
	var ofChild, ofParent context.Context
	parent := spawn(t, func(parent *ctx.Task) {
		child := spawn(t, func(child *ctx.Task) {
			ofChild = child.Context()
			child.Yield()
		}, ctx.WithParent(parent))
		ofParent = parent.Context()
		require.NoError(t, child.Cancel(errWhy))
		require.ErrorIs(t, context.Cause(ofChild), errWhy)
		require.NoError(t, ofParent.Err())
		spawn(t, func(second *ctx.Task) {
			ofChild = second.Context()
			second.Yield()
		}, ctx.WithParent(parent))
		require.NoError(t, ofChild.Err())
		parent.Yield()
	}, ctx.WithContext(c))
	why := errors.New("the parent is cancelled")
	require.NoError(t, parent.Cancel(why))
	require.ErrorIs(t, context.Cause(ofChild), why)
	require.ErrorIs(t, context.Cause(ofParent), why)
	require.NoError(t, c.Err())
}

// The end of a request's context reaches a grandchild's context and the grandchild.
func TestADeadlineReachesGrandchildren(t *testing.T) {
	c, stop := context.WithTimeout(context.Background(), time.Millisecond)
	defer stop()
	var cause error
	parent := spawn(t, func(parent *ctx.Task) {
		spawn(t, func(child *ctx.Task) {
			spawn(t, func(grandchild *ctx.Task) {
				of := grandchild.Context()
				defer func() { cause = of.Err() }()
				grandchild.Yield()
			}, ctx.WithParent(child))
			child.Yield()
		}, ctx.WithParent(parent))
		parent.Yield()
	}, ctx.WithContext(c))
	require.ErrorIs(t, parent.Wait(), context.DeadlineExceeded)
	require.Error(t, cause)
}

func TestSetContextIsWhatChildrenInherit(t *testing.T) {
	c, _ := requestContext(t)
	parent := spawn(t, func(parent *ctx.Task) {
		before := spawn(t, func(child *ctx.Task) {
			own := child.Context()
			child.Yield()
			require.Equal(t, own, child.Context(), "a context that was asked for stays")
		}, ctx.WithParent(parent))
		was := parent.Context()
		span := context.WithValue(was, valueKey{3}, "span")
		parent.SetContext(span)
		require.Equal(t, span, parent.Context())
		spawn(t, func(child *ctx.Task) {
			require.Equal(t, "span", child.Context().Value(valueKey{3}))
			require.Equal(t, "request", child.Context().Value(valueKey{1}))
			inner := context.WithValue(child.Context(), valueKey{4}, "inner")
			child.SetContext(inner)
			require.PanicsWithValue(t, "ctx: SetContext with a context that does not derive from Context of this task: derive it from that, or use WithContext",
				func() { parent.SetContext(inner) })
			spawn(t, func(grandchild *ctx.Task) {
				require.Equal(t, "span", grandchild.Context().Value(valueKey{3}))
				require.Equal(t, "inner", grandchild.Context().Value(valueKey{4}))
			}, ctx.WithParent(child))
		}, ctx.WithParent(parent))
		parent.SetContext(was)
		require.Equal(t, was, parent.Context())
		spawn(t, func(child *ctx.Task) {
			require.Nil(t, child.Context().Value(valueKey{3}))
		}, ctx.WithParent(parent))
		require.NoError(t, before.Resume())
	}, ctx.WithContext(c))
	require.NoError(t, parent.Err())
	require.ErrorIs(t, parent.Context().Err(), context.Canceled, "it has ended")

	task := spawn(t, func(task *ctx.Task) {
		var none context.Context
		require.Panics(t, func() { task.SetContext(none) })
		require.Panics(t, func() { task.SetContext(c) })
	})
	require.NoError(t, task.Err())
}

// A chain of spans is as deep as the user makes it; the library adds nothing to it.
func TestContextsOfDeepTreesAreFlat(t *testing.T) {
	c, stop := context.WithCancelCause(context.WithValue(context.Background(), valueKey{1}, "request"))
	const depth = 1000
	ended := 0
	var nest func(task *ctx.Task, n int)
	nest = func(task *ctx.Task, n int) {
		require.Equal(t, "request", task.Context().Value(valueKey{1}))
		defer func() {
			if errors.Is(context.Cause(task.Context()), errWhy) {
				ended++
			}
		}()
		if n > 1 {
			spawn(t, func(child *ctx.Task) { nest(child, n-1) }, ctx.WithParent(task))
		}
		task.Yield()
	}
	root := spawn(t, func(task *ctx.Task) { nest(task, depth) }, ctx.WithContext(c))
	stop(errWhy)
	require.ErrorIs(t, root.Wait(), errWhy)
	require.Equal(t, depth, ended)
}

// What nobody asks for costs nothing.
func TestContextOfAParentCostsItsChildrenNothing(t *testing.T) {
	if raceEnabled || portable() {
		t.Skip("race, portable: each task allocates")
	}
	count := func(opts ...ctx.Option) float64 {
		var allocs float64
		parent := spawn(t, func(parent *ctx.Task) {
			body := func(*ctx.Task) {}
			once := func() {
				child, _ := ctx.Spawn(body, ctx.WithParent(parent))
				_ = child.Free()
			}
			once()
			allocs = testing.AllocsPerRun(100, once)
		}, opts...)
		require.NoError(t, parent.Err())
		return allocs
	}
	c, _ := requestContext(t)
	require.Equal(t, count(), count(ctx.WithContext(c)))
	require.Zero(t, count(ctx.WithContext(c)))
}
