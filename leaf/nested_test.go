package leaf_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/internal/testsupport"
	"github.com/stackhop/stackhop/leaf"
)

// Cond.Wait unlocks its Mutex when the task has parked, and so continues the next
// one, which signals the first one, and so on: a ring that needs no stack, here on a
// task that has little.
func TestRingsOfCondWaitersNeedNoStack(t *testing.T) {
	rounds := testsupport.Scale(1_000_000)
	if testing.Short() || portable() {
		rounds = 20_000
	}
	var opts []ctx.Option
	if !portable() {
		opts = append(opts, ctx.WithStackSize(64<<10))
	}
	resumer := spawn(t, func(*ctx.Task) {
		var m leaf.Mutex
		turns := leaf.NewCond(&m)
		n, turn := 0, 0
		var ring [3]*ctx.Task
		for i := range ring {
			ring[i] = spawn(t, func(*ctx.Task) {
				noError(t, m.Lock())
				defer m.Unlock()
				for n < rounds {
					if turn == i {
						n++
						turn = (turn + 1) % len(ring)
						turns.Broadcast()
					}
					if n < rounds {
						noError(t, turns.Wait())
					}
				}
				turns.Broadcast()
			})
		}
		for _, task := range ring {
			require.True(t, task.Done())
			require.NoError(t, task.Err())
		}
		require.Equal(t, rounds, n)
	}, opts...)
	require.NoError(t, resumer.Err())
	require.True(t, resumer.Done())
}
