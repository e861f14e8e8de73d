package tests

import (
	"path"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/join"
	"github.com/stackhop/stackhop/leaf"
	"github.com/stackhop/stackhop/resume"
)

// A dump names what a task waits in as its author has called it, whatever functions
// of the library are below that.
func TestDumpNamesTheCallThatWaits(t *testing.T) {
	var (
		m    leaf.Mutex
		rw   leaf.RWMutex
		e    leaf.Event
		wg   leaf.WaitGroup
		sem  = leaf.NewSemaphore(1)
		cond = leaf.NewCond(new(leaf.Mutex))
		c    = leaf.NewChan[string](0)
		d    = leaf.NewChan[[3]int](1)
		slow = make(chan int)
	)
	require.NoError(t, m.Lock())
	require.NoError(t, rw.Lock())
	require.NoError(t, sem.Acquire(1))
	wg.Add(1)
	require.NoError(t, d.Send([3]int{}))
	forEver := func(*ctx.Task) error { return e.Wait() }
	for want, wait := range map[string]func(*ctx.Task){
		"leaf.(*Mutex).Lock":        func(*ctx.Task) { _ = m.Lock() },
		"leaf.(*RWMutex).Lock":      func(*ctx.Task) { _ = rw.Lock() },
		"leaf.(*RWMutex).RLock":     func(*ctx.Task) { _ = rw.RLock() },
		"leaf.(*Event).Wait":        func(*ctx.Task) { _ = e.Wait() },
		"leaf.(*WaitGroup).Wait":    func(*ctx.Task) { _ = wg.Wait() },
		"leaf.(*Semaphore).Acquire": func(*ctx.Task) { _ = sem.Acquire(1) },
		"leaf.(*Cond).Wait":         func(*ctx.Task) { _ = cond.L.Lock(); defer cond.L.Unlock(); _ = cond.Wait() },
		"leaf.(*Chan[...]).Recv":    func(*ctx.Task) { _, _ = c.Recv() },
		"leaf.(*Chan[...]).Send":    func(*ctx.Task) { _ = d.Send([3]int{}) },
		"leaf.Sleep":                func(*ctx.Task) { _ = leaf.Sleep(time.Hour) },
		"leaf.Timeout":              func(*ctx.Task) { _ = leaf.Timeout(time.Hour, forEver) },
		"leaf.AwaitFunc[...]":       func(*ctx.Task) { _, _ = leaf.AwaitFunc(func() (int, error) { return <-slow, nil }) },
		"join.Size.All":             func(*ctx.Task) { _ = join.All(forEver) },
		"join.Size.Any":             func(*ctx.Task) { _, _ = join.Any(forEver, forEver) },
		"tests.waitUnderAHandle":    waitUnderAHandle,
	} {
		task := spawn(t, wait, ctx.WithName(want))
		var seen []ctx.TaskInfo
		for _, info := range ctx.Snapshot() {
			if info.Name == want {
				seen = append(seen, info)
			}
		}
		require.Len(t, seen, 1)
		require.Equal(t, want, seen[0].WaitsOn)
		if len(seen[0].Stack) > 0 { // on the portable backend, too
			require.Equal(t, want, path.Base(seen[0].Stack[0].Func))
		}
		require.NoError(t, task.Cancel(nil))
	}
	close(slow)
}

//go:noinline
func waitUnderAHandle(*ctx.Task) { ctx.Suspend(func(resume.Handle) {}) }
