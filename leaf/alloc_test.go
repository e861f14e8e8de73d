package leaf_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/internal/testsupport"
	"github.com/stackhop/stackhop/leaf"
)

// On a task, in the steady state. Each round is made by a task, with others that
// wait.
func TestNothingIsAllocated(t *testing.T) {
	if testsupport.Race {
		t.Skip("race builds: the instrumentation allocates")
	}
	if portable() {
		t.Skip("portable backend: hand-over by channels allocates in the runtime")
	}
	stop := false
	loop := func(body func()) {
		spawn(t, func(*ctx.Task) {
			for !stop {
				body()
			}
		})
	}
	check := func(name string, round func()) {
		t.Run(name, func(t *testing.T) {
			stop = false
			var allocs float64
			require.NoError(t, spawn(t, func(*ctx.Task) { allocs = testing.AllocsPerRun(200, round) }).Wait())
			require.Zero(t, allocs)
		})
	}

	var m leaf.Mutex
	check("Mutex, uncontended", func() { _ = m.Lock(); m.Unlock() })

	var there, back leaf.Mutex
	_, _ = there.Lock(), back.Lock()
	loop(func() { _ = there.Lock(); back.Unlock() })
	check("Mutex, handed over", func() { there.Unlock(); _ = back.Lock() })
	stop = true
	there.Unlock()

	// Two tasks wait for the same lock all the time.
	var hot leaf.Mutex
	var turn leaf.Event
	stop = false
	_ = hot.Lock()
	for range 2 {
		loop(func() { _ = hot.Lock(); hot.Unlock(); _ = turn.Wait() })
	}
	check("Mutex, contended", func() { hot.Unlock(); _ = hot.Lock(); turn.Broadcast() })
	stop = true
	hot.Unlock()
	turn.Set() // for good

	var rw leaf.RWMutex
	stop = false
	check("RWMutex", func() { _ = rw.RLock(); rw.RUnlock(); _ = rw.Lock(); rw.Unlock() })

	s := leaf.NewSemaphore(2)
	_ = s.Acquire(2)
	stop = false
	loop(func() { _ = s.Acquire(1) })
	check("Semaphore", func() { s.Release(1) })
	stop = true
	s.Release(1)

	for _, capacity := range []int{0, 1, 8} {
		c := leaf.NewChan[*int](capacity)
		v := new(int)
		stop = false
		loop(func() { _, _ = c.Recv() })
		check("Chan, receiver waits", func() { _ = c.Send(v) })
		stop = true
		_ = c.Close()

		c = leaf.NewChan[*int](capacity)
		stop = false
		loop(func() { _ = c.Send(v) })
		check("Chan, sender waits", func() { _, _ = c.Recv() })
		stop = true
		_ = c.Close()
	}

	cond := leaf.NewCond(new(leaf.Mutex))
	stop = false
	loop(func() { _ = cond.L.Lock(); _ = cond.Wait(); cond.L.Unlock() })
	check("Cond", cond.Signal)
	stop = true
	cond.Signal()

	var w leaf.WaitGroup
	w.Add(1)
	stop = false
	loop(func() { _ = w.Wait(); w.Add(1) })
	check("WaitGroup", w.Done)
	stop = true
	w.Done()

	stop = false
	check("Sleep", func() { _ = leaf.Sleep(1) })
	timer := leaf.After(time.Hour)
	check("Timer", func() { timer.Reset(1); _ = timer.Wait() })
	body := func(*ctx.Task) error { return nil }
	waits := func(*ctx.Task) error { return leaf.Sleep(1) }
	check("Timeout", func() { _ = leaf.Timeout(time.Hour, body) })
	check("Timeout of one that waits", func() { _ = leaf.Timeout(time.Hour, waits) })
}
