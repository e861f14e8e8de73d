package sched_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
	"github.com/stackhop/stackhop/sched"
)

// A stackSched is a user's scheduler: last in, first out.
type stackSched struct{ todo []resume.Handle }

func (s *stackSched) Post(h resume.Handle) error {
	s.todo = append(s.todo, h)
	return nil
}

func (s *stackSched) run() (ran int) {
	for len(s.todo) != 0 {
		last := len(s.todo) - 1
		h := s.todo[last]
		s.todo = s.todo[:last]
		if h.Resume() == nil {
			ran++
		}
	}
	return ran
}

// A gate keeps Resumers, and so knows nothing of where its waiters go on.
type gate struct{ waiting []resume.Resumer }

func (g *gate) open() (errs []error) {
	for _, r := range g.waiting {
		errs = append(errs, r.Resume())
	}
	return errs
}

func TestViaMovesAResumeOntoAnotherScheduler(t *testing.T) {
	var g gate
	var order []string
	loop, own := sched.NewLoop(), new(stackSched)
	for _, who := range []struct {
		name string
		via  func(h resume.Handle) resume.Resumer
	}{
		{"bare", func(h resume.Handle) resume.Resumer { return h }},
		{"loop", func(h resume.Handle) resume.Resumer { return sched.Via(loop, h) }},
		{"own", func(h resume.Handle) resume.Resumer { return sched.Via(own, h) }},
	} {
		spawn(t, func(task *ctx.Task) {
			task.Suspend(func(h resume.Handle) { g.waiting = append(g.waiting, who.via(h)) })
			order = append(order, who.name)
		})
	}
	require.Equal(t, []error{nil, nil, nil}, g.open())
	require.Equal(t, []string{"bare"}, order)
	require.Equal(t, []error{resume.ErrStale, nil, nil}, g.open(), "queued, and so live")
	require.Equal(t, 1, own.run())
	require.Equal(t, []string{"bare", "own"}, order)
	require.NoError(t, loop.RunUntilIdle())
	require.Equal(t, []string{"bare", "own", "loop"}, order)
	require.Equal(t, []error{resume.ErrStale, resume.ErrStale, resume.ErrStale}, g.open())
	require.EqualValues(t, 1, loop.Stats().Stale)
}

func TestOnMovesATask(t *testing.T) {
	loop, own := sched.NewLoop(), new(stackSched)
	var l leaf
	at := ""
	task := spawn(t, func(task *ctx.Task) {
		require.Nil(t, task.Home())
		require.NoError(t, sched.On(loop, task))
		at = "loop"
		require.Equal(t, resume.Publisher(loop), task.Home())
		require.NoError(t, sched.On(own, task))
		at = "own"
		l.wait(t) // from wherever it is resumed, it goes on on own
		at = "own again"
		task.SetHome(nil)
		l.wait(t)
		at = "here"
	})
	require.Empty(t, at)
	require.NoError(t, loop.RunUntilIdle())
	require.Equal(t, "loop", at)
	require.Equal(t, 1, own.run())
	require.Equal(t, "own", at)
	require.NoError(t, l.h.Resume())
	require.Equal(t, "own", at)
	require.Equal(t, 1, own.run())
	require.Equal(t, "own again", at)
	require.NoError(t, l.h.Resume())
	require.Equal(t, "here", at)
	require.True(t, task.Done())
}

// A home that is closed does not lose its tasks.
func TestATaskWhoseHomeIsClosedGoesOnWhereItIsResumed(t *testing.T) {
	p, err := sched.NewPool(2)
	require.NoError(t, err)
	var l leaf
	waits, went := make(chan struct{}), false
	require.NoError(t, p.Go(func(task *ctx.Task) {
		defer func() { went = true }()
		close(waits)
		l.wait(t)
		require.NoError(t, p.Yield(task))
		require.ErrorIs(t, sched.On(p, task), sched.ErrClosed)
	}))
	<-waits
	require.NoError(t, p.Close(), "does not wait for it")
	require.Equal(t, 1, p.Stats().Tasks)
	require.NoError(t, l.h.Resume())
	require.True(t, went)
	require.NoError(t, p.Wait())
}

func TestACustomHomeThatRefusesDoesNotLoseItsTasks(t *testing.T) {
	s := &refusing{}
	var l leaf
	task := spawn(t, func(task *ctx.Task) {
		require.NoError(t, sched.On(s, task))
		s.refuse = true
		l.wait(t)
		require.ErrorIs(t, sched.On(s, task), errWhy)
	})
	require.Equal(t, 1, s.run())
	require.NoError(t, l.h.Resume())
	require.True(t, task.Done())
}

type refusing struct {
	stackSched
	refuse bool
}

func (s *refusing) Post(h resume.Handle) error {
	if s.refuse {
		return errWhy
	}
	return s.stackSched.Post(h)
}

func TestATaskThatWaitsOnAnotherSchedulerComesHome(t *testing.T) {
	home, other := sched.NewLoop(), sched.NewLoop()
	stage := 0
	require.NoError(t, home.Go(func(task *ctx.Task) {
		require.NoError(t, other.Yield(task))
		stage = 1
		require.NoError(t, other.Sleep(task, 1))
		stage = 2
	}))
	for want := range 2 {
		require.NoError(t, home.RunUntilIdle())
		require.Equal(t, want, stage)
		eventually(t, "other resumes it", func() bool {
			require.NoError(t, other.RunUntilIdle())
			return home.Stats().Queued == 1
		})
		require.Equal(t, want, stage, "not on other")
	}
	require.NoError(t, home.Drain())
	require.Equal(t, 2, stage)
}
