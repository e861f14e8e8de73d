package leaf_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/leaf"
)

func TestUnlockRunsTheWaiterBeforeItReturns(t *testing.T) {
	var m leaf.Mutex
	var log []string
	require.NoError(t, m.Lock())
	for i := range 3 {
		spawn(t, func(*ctx.Task) {
			noError(t, m.Lock())
			log = append(log, fmt.Sprint(i, " has it"))
			m.Unlock()
			log = append(log, fmt.Sprint(i, " goes on"))
		})
	}
	require.Empty(t, log)
	m.Unlock()
	log = append(log, "unlocked")
	require.Equal(t, []string{"0 has it", "1 has it", "2 has it", "2 goes on", "1 goes on", "0 goes on", "unlocked"}, log)
	require.True(t, m.TryLock())
	require.False(t, m.TryLock())
	m.Unlock()
}

// However many wait, each of their stacks has one Unlock on it.
func TestAConvoyOfWaitersNeedsNoDeepStack(t *testing.T) {
	var m leaf.Mutex
	var w leaf.WaitGroup
	require.NoError(t, m.Lock())
	n, sum := scale(20_000), 0
	for range n {
		_, err := w.Go(func(*ctx.Task) {
			noError(t, m.Lock())
			sum++
			m.Unlock()
		}, ctx.WithStackSize(16<<10))
		require.NoError(t, err)
	}
	m.Unlock()
	require.NoError(t, w.Wait())
	require.Equal(t, n, sum)
}

func TestMutexGoesPastACancelledWaiter(t *testing.T) {
	var m leaf.Mutex
	require.NoError(t, m.Lock())
	var tasks []*ctx.Task
	var got []int
	for i := range 3 {
		tasks = append(tasks, spawn(t, func(*ctx.Task) {
			noError(t, m.Lock())
			got = append(got, i)
			m.Unlock()
		}))
	}
	cancelled(t, tasks[1])
	m.Unlock()
	require.Equal(t, []int{0, 2}, got)
	require.True(t, m.TryLock())
}

func TestMutexBetweenGoroutinesAndTasks(t *testing.T) {
	var m leaf.Mutex
	require.NoError(t, m.Lock())
	order := make(chan string, 2)
	got := make(chan struct{})
	go func() {
		noError(t, m.Lock())
		order <- "goroutine"
		m.Unlock()
		close(got)
	}()
	eventually(t, "goroutine waits", func() bool { return leaf.MutexWaiters(&m) == 1 })
	spawn(t, func(*ctx.Task) {
		noError(t, m.Lock())
		order <- "task"
		m.Unlock()
	})
	m.Unlock()
	<-got
	require.Equal(t, "goroutine", <-order)
	require.Equal(t, "task", <-order)
}
