package sched_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/internal/testsupport"
	"github.com/stackhop/stackhop/resume"
	"github.com/stackhop/stackhop/sched"
)

// A task that a closed scheduler refuses goes on where it is. However often that
// happens, it needs no stack: here on a task that has little.
func TestWhatAClosedSchedulerRefusesNeedsNoStack(t *testing.T) {
	rounds := testsupport.Scale(1_000_000)
	if testing.Short() || stackhop.Backend().Name == "portable" {
		rounds = 20_000
	}
	pool, err := sched.NewPool(1)
	require.NoError(t, err)
	require.NoError(t, pool.Close())
	type way struct {
		name string
		home resume.Publisher
		park func(task *ctx.Task) error
	}
	now := func(task *ctx.Task) error { return task.Park(atOnce{}) }
	ways := []way{
		{"Pool.Yield", nil, pool.Yield},
		{"SuspendTo(Pool)", nil, func(task *ctx.Task) error { task.SuspendTo(pool); return nil }},
		{"Via(Pool)", nil, func(task *ctx.Task) error { return task.Park(via{pool}) }},
		{"On(Pool)", nil, func(task *ctx.Task) error { require.Error(t, sched.On(pool, task)); return nil }},
		{"home on a Pool", pool, now},
		{"Pool.Yield at home", pool, pool.Yield},
		{"home that resumes", atOnce{}, now},
	}
	if net, err := sched.NewNet(); err == nil {
		require.NoError(t, net.Close())
		ways = append(ways,
			way{"SuspendTo(Net)", nil, func(task *ctx.Task) error { task.SuspendTo(net); return nil }},
			way{"On(Net)", nil, func(task *ctx.Task) error { require.Error(t, sched.On(net, task)); return nil }},
			way{"Net.Sleep", nil, func(task *ctx.Task) error { require.Error(t, net.Sleep(task, 1)); return nil }},
			way{"home on a Net", net, now},
		)
	}
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			var opts []ctx.Option
			if stackhop.Backend().Name != "portable" {
				opts = append(opts, ctx.WithStackSize(64<<10))
			}
			resumer, err := ctx.Spawn(func(*ctx.Task) {
				task, err := ctx.Spawn(func(task *ctx.Task) {
					for range rounds {
						if err := w.park(task); err != nil {
							panic(err)
						}
					}
				}, ctx.WithHome(w.home))
				require.NoError(t, err)
				require.True(t, task.Done())
				require.NoError(t, task.Err())
			}, opts...)
			require.NoError(t, err)
			require.NoError(t, resumer.Err())
		})
	}
}

// atOnce is a Publisher for what has happened already.
type atOnce struct{}

func (atOnce) Publish(h resume.Handle) { _ = h.Resume() }

// via puts its task on a scheduler if there is one, otherwise it resumes the task.
type via struct{ s sched.Scheduler }

func (p via) Publish(h resume.Handle) {
	if sched.Via(p.s, h).Resume() != nil {
		_ = h.Resume()
	}
}
