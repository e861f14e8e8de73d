package sched_test

import (
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/internal/testsupport"
	"github.com/stackhop/stackhop/resume"
	"github.com/stackhop/stackhop/sched"
)

// skipAllocs skips where the build allocates on its own.
func skipAllocs(t *testing.T) {
	if testsupport.Race {
		t.Skip("race builds: the instrumentation allocates, and sync.Pool drops at random")
	}
	if stackhop.Backend().Name == "portable" {
		t.Skip("portable backend: hand-over by channels allocates in the runtime")
	}
	percent := debug.SetGCPercent(-1) // a collection empties each sync.Pool
	t.Cleanup(func() { debug.SetGCPercent(percent) })
}

func TestWarmSchedulersAllocateNothing(t *testing.T) {
	skipAllocs(t)
	onEach(t, func(t *testing.T, s subject) {
		f := func() {}
		away := &doing{s: s}
		away.resume = func() { _ = away.h.Resume() }
		calls := []struct {
			name string
			call func(task *ctx.Task)
		}{
			{"yield", func(task *ctx.Task) { _ = s.Yield(task) }},
			{"post", func(task *ctx.Task) { task.SuspendTo(s.scheduler) }},
			{"Do", func(task *ctx.Task) { _ = s.Do(f); _ = s.Yield(task) }},
			{"On", func(task *ctx.Task) { _ = sched.On(s.scheduler, task) }},
			{"come home", func(task *ctx.Task) { _ = task.Park(away) }},
		}
		if l, ok := s.scheduler.(*sched.Loop); ok {
			timer, err := l.AfterFunc(1, f)
			require.NoError(t, err)
			calls = append(calls, []struct {
				name string
				call func(task *ctx.Task)
			}{
				{"sleep", func(task *ctx.Task) { _ = l.Sleep(task, 1) }},
				{"timer", func(task *ctx.Task) { timer.Reset(1); _ = l.Yield(task) }},
			}...)
		}
		allocs := make([]float64, len(calls))
		require.NoError(t, s.Go(func(task *ctx.Task) {
			for i, c := range calls {
				for range 200 { // queues grow, hints are left
					c.call(task)
				}
				allocs[i] = testing.AllocsPerRun(200, func() { c.call(task) })
			}
		}))
		require.NoError(t, s.finish())
		for i, c := range calls {
			require.Zero(t, allocs[i], c.name)
		}
	})
}

// doing is a Publisher that has the scheduler resume the task from a Do: on a Pool
// maybe at once, on another worker, so not before the task is parked.
type doing struct {
	s      subject
	h      resume.Handle
	resume func()
}

func (d *doing) Publish(h resume.Handle) {
	d.h = h
	_ = d.s.Do(d.resume)
}

func TestPostFromOutsideAllocatesNothing(t *testing.T) {
	skipAllocs(t)
	onEach(t, func(t *testing.T, s subject) {
		var k leaf
		stop := false
		require.NoError(t, s.Go(func(task *ctx.Task) {
			task.SetHome(nil)
			for !stop {
				k.wait(t)
			}
		}))
		s.settle()
		post := func() {
			_ = s.Post(k.h)
			if l, ok := s.scheduler.(*sched.Loop); ok {
				_ = l.RunUntilIdle()
				return
			}
			for !settled(s.scheduler, s.workers) {
				runtime.Gosched()
			}
		}
		for range 200 {
			post()
		}
		require.Zero(t, testing.AllocsPerRun(200, post))
		stop = true
		post()
		require.NoError(t, s.finish())
	})
}
