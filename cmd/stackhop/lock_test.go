package main

import (
	"testing"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stretchr/testify/require"
)

func TestUnlockRunsTheWaitersInOrder(t *testing.T) {
	var (
		l     lock
		order []int
	)
	l.Lock() // free: no task needed
	for i := range 3 {
		_, err := ctx.Spawn(func(*ctx.Task) {
			l.Lock()
			order = append(order, i)
			require.NoError(t, l.Unlock())
		})
		require.NoError(t, err)
	}
	require.Empty(t, order)
	require.NoError(t, l.Unlock())
	require.Equal(t, []int{0, 1, 2}, order)
	require.False(t, l.held)
}
