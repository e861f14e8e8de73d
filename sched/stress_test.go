package sched_test

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/stackhop/stackhop/cancel"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
	"github.com/stackhop/stackhop/sched"
)

// A move is what a wandering task does next.
type move struct {
	kind string
	to   int
}

var moves = rapid.Custom(func(rt *rapid.T) move {
	return move{
		kind: rapid.SampledFrom([]string{"on", "on", "yield", "sleep", "go", "away", "post"}).Draw(rt, "kind"),
		to:   rapid.IntRange(0, 3).Draw(rt, "to"),
	}
})

// Random tasks wander between two loops and two pools, start others, and wait at
// leaves that other goroutines resume. After each move a task is where it should
// be, which the race detector and unguarded counters of the loops tell; none is
// lost, and none runs twice.
func TestWanderers(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		plans := rapid.SliceOfN(rapid.SliceOfN(moves, 1, 20), 1, 20).Draw(rt, "plans")
		loops := [2]*sched.Loop{sched.NewLoop(), sched.NewLoop()}
		var pools [2]*sched.Pool
		for i := range pools {
			var err error
			pools[i], err = sched.NewPool(i + 1)
			require.NoError(rt, err)
		}
		all := [4]scheduler{loops[0], loops[1], pools[0], pools[1]}
		var here [2]int // of the loops, guarded by nothing
		var want [2]int
		var tasks, ended sync.WaitGroup
		var children atomic.Int32
		wantChildren := 0

		for i, plan := range plans {
			start := i % 4
			at := start
			for _, m := range plan {
				if m.kind == "on" {
					at = m.to
				} else if m.kind == "go" {
					wantChildren++
				}
				if at < 2 {
					want[at]++
				}
			}
			tasks.Add(1)
			require.NoError(rt, all[start].Go(func(task *ctx.Task) {
				defer tasks.Done()
				at := start
				for _, m := range plan {
					var err error
					switch m.kind {
					case "on":
						err = sched.On(all[m.to], task)
						at = m.to
					case "yield":
						err = all[at].Yield(task)
					case "sleep": // on any loop, and then home
						err = loops[m.to%2].Sleep(task, time.Duration(m.to)*time.Microsecond)
					case "go":
						tasks.Add(1)
						err = all[m.to].Go(func(*ctx.Task) { children.Add(1); tasks.Done() })
					case "away": // resumed from elsewhere
						err = task.Park(awayer{})
					case "post": // queued elsewhere, and then home
						err = task.Park(all[m.to])
					}
					if err != nil {
						t.Error(err)
					}
					if at < 2 {
						here[at]++
					}
				}
			}))
		}
		for _, l := range loops {
			ended.Go(func() {
				if err := l.Run(); err != nil {
					t.Error(err)
				}
			})
		}
		tasks.Wait()
		for _, l := range loops {
			l.Stop()
		}
		ended.Wait()
		for _, p := range pools {
			require.NoError(rt, p.Close())
		}
		require.Equal(rt, want, here)
		require.EqualValues(rt, wantChildren, children.Load())
		for _, s := range all {
			require.Zero(rt, s.Stats().Tasks)
			require.Zero(rt, s.Stats().Queued)
			require.Zero(rt, s.Stats().Stale)
		}
	})
}

// awayer resumes who parks from a goroutine of its own.
type awayer struct{}

func (awayer) Publish(h resume.Handle) {
	go func() { _ = h.Resume() }()
}

// Cancels from other goroutines, at any moment, of tasks that yield, sleep, hop
// and start others, while the collector runs: each task's deferred call runs once.
func TestCancelStormOnSchedulers(t *testing.T) {
	stop := make(chan struct{})
	var collector sync.WaitGroup
	collector.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				runtime.GC()
				time.Sleep(time.Millisecond)
			}
		}
	})
	defer collector.Wait()
	defer close(stop)
	for range scale(30) {
		const each = 50
		loop, pool := sched.NewLoop(), newPool(t, 3)
		var unwound atomic.Int32
		tasks := make(chan *ctx.Task, 2*each)
		body := func(task *ctx.Task) {
			defer unwound.Add(1)
			tasks <- task
			for i := 0; ; i++ {
				switch i % 5 {
				case 0:
					_ = sched.On(pool, task)
				case 1:
					_ = pool.Yield(task)
				case 2:
					_ = sched.On(loop, task)
				case 3:
					_ = loop.Sleep(task, time.Microsecond)
				case 4:
					_ = loop.Yield(task)
				}
			}
		}
		for range each {
			require.NoError(t, loop.Go(body))
			require.NoError(t, pool.Go(body))
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := loop.Run(); err != nil {
				t.Error(err)
			}
		})
		for range 2 {
			wg.Go(func() {
				for range each {
					task := <-tasks
					for range rand.IntN(50) {
						runtime.Gosched()
					}
					if err := task.Cancel(errWhy); err != nil && err != cancel.ErrCancelPending {
						t.Error(err)
					}
				}
				eventually(t, "all tasks have ended", func() bool { return unwound.Load() == 2*each })
				loop.Stop()
			})
		}
		wg.Wait()
		require.NoError(t, pool.Close())
		require.Zero(t, pool.Stats().Tasks+loop.Stats().Tasks)
		require.Zero(t, loop.Stats().Timers)
	}
}
