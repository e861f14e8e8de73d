package leaf_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/leaf"
	"github.com/stackhop/stackhop/resume"
)

func TestEventResumesAllEvenIfItIsResetMeanwhile(t *testing.T) {
	var e leaf.Event
	var log []int
	for i := range 3 {
		spawn(t, func(*ctx.Task) {
			noError(t, e.Wait())
			log = append(log, i)
			e.Reset()
			noError(t, e.Wait())
			log = append(log, 10+i)
		})
	}
	e.Set()
	require.Equal(t, []int{0, 1, 2}, log)
	require.False(t, e.IsSet())
	e.Broadcast()
	require.Equal(t, []int{0, 1, 2, 10, 11, 12}, log)
	require.False(t, e.IsSet())
	e.Set()
	require.NoError(t, e.Wait())
}

// Who waits anew does not belong to the call of Broadcast that resumed it.
func TestBroadcastResumesEachOnce(t *testing.T) {
	var e leaf.Event
	n := 0
	task := spawn(t, func(*ctx.Task) {
		for {
			noError(t, e.Wait())
			n++
		}
	})
	for i := range 5 {
		require.Equal(t, i, n)
		e.Broadcast()
	}
	cancelled(t, task)
	e.Broadcast()
	require.Equal(t, 5, n)
}

// A Publisher of the first waiter panics. The others have not waited in vain.
func TestAPanicInOneResumeDoesNotStopTheOthers(t *testing.T) {
	var e leaf.Event
	var h resume.Handle
	spawn(t, func(*ctx.Task) {
		noError(t, e.Wait())
		ctx.Suspend(func(own resume.Handle) { h = own; panic("publish") })
	})
	n := 0
	for range 3 {
		spawn(t, func(*ctx.Task) { noError(t, e.Wait()); n++ })
	}
	require.PanicsWithValue(t, "publish", e.Set)
	require.Equal(t, 3, n)
	require.NoError(t, h.Resume())
}

func TestWaitGroup(t *testing.T) {
	var w leaf.WaitGroup
	require.NoError(t, w.Wait())
	var gate leaf.Event
	ends := 0
	for range 3 {
		_, err := w.Go(func(*ctx.Task) { noError(t, gate.Wait()); ends++ })
		require.NoError(t, err)
	}
	stopped, err := w.Go(func(*ctx.Task) { noError(t, new(leaf.Event).Wait()) })
	require.NoError(t, err)
	waited := false
	waiter := spawn(t, func(*ctx.Task) { noError(t, w.Wait()); waited = true })
	other := make(chan error, 1)
	go func() { other <- w.Wait() }()
	eventually(t, "goroutine waits", func() bool { return leaf.GroupWaiters(&w) == 2 })
	gate.Set()
	require.Equal(t, 3, ends)
	require.False(t, waited)
	cancelled(t, stopped)
	require.True(t, waited)
	require.True(t, waiter.Done())
	require.NoError(t, <-other)

	w.Add(2) // again
	waited = false
	spawn(t, func(*ctx.Task) { noError(t, w.Wait()); waited = true })
	w.Done()
	require.False(t, waited)
	w.Done()
	require.True(t, waited)
}

func TestWaitGroupForgetsACancelledWaiter(t *testing.T) {
	var w leaf.WaitGroup
	w.Add(1)
	cancelled(t, spawn(t, func(*ctx.Task) { noError(t, w.Wait()) }))
	require.Zero(t, leaf.GroupWaiters(&w))
	w.Done()
}
