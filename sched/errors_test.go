package sched_test

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/cancel"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
	"github.com/stackhop/stackhop/sched"
)

// onTask returns what f answers on a task, run to its end by hand.
func onTask(t *testing.T, f func(task *ctx.Task) error) (err error) {
	task := spawn(t, func(task *ctx.Task) { err = f(task) })
	require.True(t, task.Done())
	require.NoError(t, task.Err())
	return err
}

func TestErrors(t *testing.T) {
	loop, open := sched.NewLoop(), newPool(t, 1)
	closed, err := sched.NewPool(1)
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	require.NoError(t, closed.Close(), "twice")
	require.NoError(t, closed.Wait())
	var l leaf
	waiting := spawn(t, func(*ctx.Task) { l.wait(t) })
	body, f := func(*ctx.Task) { t.Error("ran") }, func() { t.Error("ran") }

	for _, tc := range []struct {
		name string
		call func() error
		want error
	}{
		{"NewPool(-1)", func() error { _, err := sched.NewPool(-1); return err }, sched.ErrWorkers},
		{"NewPool too many", func() error { _, err := sched.NewPool(sched.MaxWorkers + 1); return err }, sched.ErrWorkers},
		{"Loop.Go(nil)", func() error { return loop.Go(nil) }, ctx.ErrNilBody},
		{"Pool.Go(nil)", func() error { return open.Go(nil) }, ctx.ErrNilBody},
		{"Loop.Do(nil)", func() error { return loop.Do(nil) }, sched.ErrNilFunc},
		{"Pool.Do(nil)", func() error { return open.Do(nil) }, sched.ErrNilFunc},
		{"Loop.AfterFunc(nil)", func() error { _, err := loop.AfterFunc(1, nil); return err }, sched.ErrNilFunc},
		{"Loop.Post(zero)", func() error { return loop.Post(resume.Handle{}) }, resume.ErrStale},
		{"Pool.Post(zero)", func() error { return open.Post(resume.Handle{}) }, resume.ErrStale},
		{"Loop.Yield(nil)", func() error { return loop.Yield(nil) }, resume.ErrNotOnTask},
		{"Pool.Yield(nil)", func() error { return open.Yield(nil) }, resume.ErrNotOnTask},
		{"Loop.Sleep(nil)", func() error { return loop.Sleep(nil, 1) }, resume.ErrNotOnTask},
		{"Loop.Yield(another's)", func() error { return loop.Yield(waiting) }, resume.ErrNotOnTask},
		{"Loop.Sleep(another's)", func() error { return loop.Sleep(waiting, 1) }, resume.ErrNotOnTask},
		{"On(s, nil)", func() error { return sched.On(loop, nil) }, resume.ErrNotOnTask},
		{"On(s, another's)", func() error { return sched.On(loop, waiting) }, resume.ErrNotOnTask},
		{"On(nil, t)", func() error { return sched.On(nil, waiting) }, sched.ErrNilScheduler},
		{"Via(nil, h)", func() error { return sched.Via(nil, l.h).Resume() }, sched.ErrNilScheduler},
		{"Via(s, zero)", func() error { return sched.Via(loop, resume.Handle{}).Resume() }, resume.ErrStale},
		{"closed Go", func() error { return closed.Go(body) }, sched.ErrClosed},
		{"closed Do", func() error { return closed.Do(f) }, sched.ErrClosed},
		{"closed Post", func() error { return closed.Post(l.h) }, sched.ErrClosed},
		{"Via(closed, h)", func() error { return sched.Via(closed, l.h).Resume() }, sched.ErrClosed},
		{"On(closed, t)", func() error {
			return onTask(t, func(task *ctx.Task) error { return sched.On(closed, task) })
		}, sched.ErrClosed},
		{"Run in Run", func() (err error) {
			require.NoError(t, loop.Do(func() { err = loop.Run() }))
			require.NoError(t, loop.RunUntilIdle())
			return err
		}, sched.ErrRunning},
		{"Wait inside", func() error { return inside(open, (*sched.Pool).Wait) }, sched.ErrInside},
		{"Close inside", func() error { return inside(open, (*sched.Pool).Close) }, sched.ErrInside},
		{"On of one who unwinds", func() (err error) {
			var l leaf
			task := spawn(t, func(task *ctx.Task) {
				defer func() { err = sched.On(loop, task) }()
				l.wait(t)
			})
			require.NoError(t, task.Cancel(nil))
			return err
		}, cancel.ErrUnwinding},
		{"Sleep of one who unwinds", func() (err error) {
			var l leaf
			task := spawn(t, func(task *ctx.Task) {
				defer func() { err = loop.Sleep(task, 1) }()
				l.wait(t)
			})
			require.NoError(t, task.Cancel(nil))
			return err
		}, cancel.ErrUnwinding},
	} {
		t.Run(tc.name, func(t *testing.T) { require.ErrorIs(t, tc.call(), tc.want) })
	}

	_, err = sched.NewPool(-1)
	var we *sched.WorkersError
	require.ErrorAs(t, err, &we)
	require.Equal(t, -1, we.Workers)
	require.ErrorContains(t, err, "-1 workers: need 1 to")
	require.Zero(t, loop.Stats().Timers)
	require.NoError(t, l.h.Resume(), "after all that it is live")
	require.True(t, waiting.Done())
}

func inside(p *sched.Pool, f func(*sched.Pool) error) error {
	got := make(chan error)
	if err := p.Go(func(*ctx.Task) { got <- f(p) }); err != nil {
		return err
	}
	return <-got
}

func TestATaskLockedToItsThreadStaysWhereItIs(t *testing.T) {
	if stackhop.Backend().Name == "portable" {
		t.Skip("portable backend: every body has a thread to itself")
	}
	loop := sched.NewLoop()
	err := onTask(t, func(task *ctx.Task) error {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		require.ErrorIs(t, loop.Sleep(task, 1), ctx.ErrThreadLocked)
		require.ErrorIs(t, loop.Yield(task), ctx.ErrThreadLocked)
		err := sched.On(loop, task)
		require.Nil(t, task.Home())
		return err
	})
	require.ErrorIs(t, err, ctx.ErrThreadLocked)
	require.Zero(t, loop.Stats().Queued)
	require.Zero(t, loop.Stats().Timers)
}

// A goroutine locked to its thread, such as a GUI's, can run a Loop.
func TestALockedGoroutineRunsALoop(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	loop := sched.NewLoop()
	rounds := 0
	require.NoError(t, loop.Go(func(task *ctx.Task) {
		for ; rounds < 10; rounds++ {
			require.NoError(t, loop.Yield(task))
		}
	}))
	require.NoError(t, loop.Drain())
	require.Equal(t, 10, rounds)
	require.Empty(t, loop.Refused())
}
