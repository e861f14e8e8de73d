package sched_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
	"github.com/stackhop/stackhop/sched"
)

// A task that is to go on on a scheduler that is closed goes on where it is: so
// often that the resumer's stack, which is small, would not have room for it.
func TestAClosedSchedulerTakesNoStack(t *testing.T) {
	p, err := sched.NewPool(1)
	require.NoError(t, err)
	require.NoError(t, p.Close())
	n := openNet(t)
	require.NoError(t, n.Close())
	rounds := 1_000_000
	if testing.Short() || stackhop.Backend().Name == "portable" {
		rounds = 20_000
	}
	for _, c := range []struct {
		name string
		wait func(task *ctx.Task) error
	}{
		{"Pool.Yield", p.Yield},
		{"SuspendTo a Pool", func(task *ctx.Task) error { task.SuspendTo(p); return nil }},
		{"SuspendTo a Net", func(task *ctx.Task) error { task.SuspendTo(n); return nil }},
		{"On a Pool", func(task *ctx.Task) error { _ = sched.On(p, task); return nil }},
		{"On a Net", func(task *ctx.Task) error { _ = sched.On(n, task); return nil }},
		{"home of a scheduler without Publish", func(task *ctx.Task) error { return task.Park(&goesOn{}) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			var opts []ctx.Option
			if stackhop.Backend().Name != "portable" {
				opts = append(opts, ctx.WithStackSize(32<<10))
			}
			done := 0
			outer := spawn(t, func(*ctx.Task) {
				inner := spawn(t, func(task *ctx.Task) {
					for range rounds {
						if err := c.wait(task); err != nil {
							t.Error(err)
							return
						}
						done++
					}
				})
				require.True(t, inner.Done())
			}, opts...)
			require.NoError(t, outer.Err())
			require.Equal(t, rounds, done)
		})
	}
}

// goesOn is a Publisher that resumes the task at once, by a scheduler that refuses.
type goesOn struct{}

func (*goesOn) Publish(h resume.Handle) { _ = sched.Via(refuser{}, h).Resume(); _ = h.Resume() }

type refuser struct{}

func (refuser) Post(resume.Handle) error { return sched.ErrClosed }
