package ctx_test

import (
	"context"
	"errors"
	"runtime"
	"runtime/pprof"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/mmapstack"
)

// H33: a pooled coroutine has the labels of who spawns the task, not those of
// the one before.
func TestLabelsAreInheritedAtSpawn(t *testing.T) {
	if portable() {
		t.Skip("portable backend: the runtime sets labels where a goroutine is made, not where a task is")
	}
	// labelled reports whether a suspended task of this test has the label.
	// Idle coroutines keep those of their last task.
	labelled := func(label string) bool {
		var b strings.Builder
		require.NoError(t, pprof.Lookup("goroutine").WriteTo(&b, 1))
		for stanza := range strings.SplitSeq(b.String(), "\n\n") {
			if strings.Contains(stanza, "(*Task).Yield") && strings.Contains(stanza, label) {
				return true
			}
		}
		return false
	}
	onEach(t, func(t *testing.T, opts []ctx.Option) {
		for _, value := range []string{"first", "second"} {
			var task *ctx.Task
			pprof.Do(context.Background(), pprof.Labels("spawner", value), func(context.Context) {
				task = spawn(t, func(task *ctx.Task) { task.Yield() }, opts...)
			})
			require.True(t, labelled(`"spawner":"`+value+`"`))
			finish(t, task)
		}
		task := spawn(t, func(task *ctx.Task) { task.Yield() }, opts...)
		require.False(t, labelled(`"spawner":`))
		finish(t, task)
	})
}

func TestTasksInABubble(t *testing.T) {
	if portable() {
		t.Skip("portable backend: bubbles are not told apart")
	}
	onEach(t, func(t *testing.T, opts []ctx.Option) {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			for range 3 {
				task := spawn(t, func(task *ctx.Task) {
					time.Sleep(time.Hour) // of the bubble
					task.Yield()
				}, opts...)
				finish(t, task)
				require.NoError(t, task.Err())
			}
			require.Equal(t, 3*time.Hour, time.Since(start))
		})
		// And the storage still serves outside.
		task := spawn(t, func(task *ctx.Task) { task.Yield() }, opts...)
		finish(t, task)
	})
}

func TestResumeAcrossABubblesBorderIsRefused(t *testing.T) {
	if portable() {
		t.Skip("portable backend: bubbles are not told apart")
	}
	outside := spawn(t, func(task *ctx.Task) { task.Yield() })
	used := ownStack(t, 0)
	spawn(t, func(*ctx.Task) {}, ctx.WithStack(used))
	synctest.Test(t, func(t *testing.T) {
		require.ErrorIs(t, outside.Resume(), stackhop.ErrBubble)
		_, err := ctx.Spawn(func(*ctx.Task) {}, ctx.WithStack(used))
		require.ErrorIs(t, err, stackhop.ErrBubble, "an idle coroutine from outside is on it")
	})
	finish(t, outside)
	spawn(t, func(*ctx.Task) {}, ctx.WithStack(used))
}

// A coroutine that idles on a carved stack makes way for one of the bubble.
func TestCarvedStackServesInsideABubbleAndOutside(t *testing.T) {
	mapped(t)
	s, err := mmapstack.New(256 << 10)
	require.NoError(t, err)
	k, err := s.Carve(64 << 10)
	require.NoError(t, err)
	serve := func() {
		task, err := ctx.Spawn(func(task *ctx.Task) {
			require.Same(t, k, task.Stack())
			task.Yield()
		}, ctx.WithStack(k))
		for errors.Is(err, stackhop.ErrBubble) { // while the collector marks
			runtime.Gosched()
			task, err = ctx.Spawn(func(task *ctx.Task) { task.Yield() }, ctx.WithStack(k))
		}
		require.NoError(t, err)
		finish(t, task)
	}
	serve()
	synctest.Test(t, func(t *testing.T) { serve(); serve() })
	serve()
	require.NoError(t, k.Close())
	require.NoError(t, s.Close())
}
