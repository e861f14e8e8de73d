package tests

import (
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/cancel"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/join"
	"github.com/stackhop/stackhop/resume"
)

// An errand is a task that another goroutine runs while it is blocked: a task
// that runs on another thread.
type errand struct {
	began, goOn chan struct{}
	ran         sync.WaitGroup
}

func newErrand() *errand { return &errand{began: make(chan struct{}), goOn: make(chan struct{})} }

// block is called by the task.
func (e *errand) block() {
	close(e.began)
	<-e.goOn
}

// start has another goroutine run something that leads to block.
func (e *errand) start(run func()) {
	e.ran.Go(run)
	<-e.began
}

// finish lets the task go on, and waits until whoever runs it is back.
func (e *errand) finish() {
	close(e.goOn)
	e.ran.Wait()
}

// Row: running on another thread. It unwinds at its next suspension, there.
func TestCancelOfATaskOnAnotherThread(t *testing.T) {
	eachTaskStorage(t, func(t *testing.T, on func() ctx.Option) {
		for _, p := range parks {
			t.Run(p.name, func(t *testing.T) {
				var n notebook
				var h resume.Handle
				e := newErrand()
				task := spawn(t, func(task *ctx.Task) {
					task.Yield()
					e.block()
					waitIn(&n, "task", task, func() error { return p.suspend(task, &h) })
				}, on())
				e.start(func() {
					if err := task.Resume(); err != nil {
						t.Error(err)
					}
					n.add("resumer is back")
				})
				require.ErrorIs(t, task.Cancel(errCause), cancel.ErrCancelPending)
				require.True(t, task.CancelPending())
				require.ErrorIs(t, task.Err(), errCause)
				require.False(t, task.Done())
				n.require(t)
				e.finish()
				n.require(t, "task: left leaf", "task: left", "resumer is back")
				requireCancelled(t, task)
				require.Equal(t, resume.Handle{}, h)
			})
		}
	})
}

// Row: suspended inside join, one arm running elsewhere.
func TestCancelInsideJoinWithAnArmOnAnotherThread(t *testing.T) {
	for _, row := range []struct {
		name string
		end  func(n *notebook, arm *ctx.Task)
		want []string
	}{
		{"that suspends", func(n *notebook, arm *ctx.Task) {
			waitIn(n, "b", arm, func() error { arm.Yield(); return nil })
		}, []string{"b: left leaf", "b: left"}},
		{"that ends", func(n *notebook, arm *ctx.Task) { n.add("b: ends") }, []string{"b: ends"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			eachTaskStorage(t, func(t *testing.T, on func() ctx.Option) {
				var n notebook
				var h resume.Handle
				e := newErrand()
				wait := func(name string) func(arm *ctx.Task) error {
					return func(arm *ctx.Task) error {
						waitIn(&n, name, arm, func() error { arm.Yield(); return nil })
						return nil
					}
				}
				parent := spawn(t, func(*ctx.Task) {
					defer n.add("parent: left")
					_ = join.All(wait("a"), func(arm *ctx.Task) error {
						_ = parks[1].suspend(arm, &h)
						e.block()
						row.end(&n, arm)
						return nil
					}, wait("c"))
					n.add("parent: goes on")
				}, on())
				e.start(func() {
					if err := h.Resume(); err != nil {
						t.Error(err)
					}
					n.add("resumer is back")
				})
				require.ErrorIs(t, parent.Cancel(errCause), cancel.ErrCancelPending)
				n.require(t, "c: left leaf", "c: left", "a: left leaf", "a: left")
				require.False(t, parent.Done())
				require.ErrorIs(t, parent.Cancel(errors.New("a later cause")), cancel.ErrCancelPending)
				e.finish()
				want := append([]string{"c: left leaf", "c: left", "a: left leaf", "a: left"}, row.want...)
				n.require(t, append(want, "parent: left", "resumer is back")...)
				requireCancelled(t, parent)
			})
		})
	}
}

// The same row, with a child of WithParent, and the parent under a handle: that is
// stale from the cancel on, though the parent does not unwind yet.
func TestCancelRevokesTheHandleOfWhoWaitsForAChildElsewhere(t *testing.T) {
	eachTaskStorage(t, func(t *testing.T, on func() ctx.Option) {
		var n notebook
		var h, hc resume.Handle
		e := newErrand()
		var child *ctx.Task
		parent := spawn(t, func(p *ctx.Task) {
			child = spawn(t, func(c *ctx.Task) {
				_ = parks[1].suspend(c, &hc)
				e.block()
				waitIn(&n, "child", c, func() error { c.Yield(); return nil })
			}, ctx.WithParent(p), on())
			waitIn(&n, "parent", p, func() error { return parks[1].suspend(p, &h) })
		}, on())
		e.start(func() {
			if err := hc.Resume(); err != nil {
				t.Error(err)
			}
		})
		require.ErrorIs(t, parent.Cancel(errCause), cancel.ErrCancelPending)
		requireStale(t, h)
		require.ErrorIs(t, parent.Resume(), cancel.ErrUnwinding)
		require.False(t, parent.Done())
		n.require(t)
		e.finish()
		n.require(t, "child: left leaf", "child: left", "parent: left leaf", "parent: left")
		requireCancelled(t, child)
		requireCancelled(t, parent)
	})
}

// Row: unwinding already. The first cause stays.
func TestCancelOfAnUnwindingTaskIsNothing(t *testing.T) {
	eachTaskStorage(t, func(t *testing.T, on func() ctx.Option) {
		var n notebook
		e := newErrand()
		task := spawn(t, func(task *ctx.Task) {
			defer func() {
				require.ErrorIs(t, task.Cancel(errors.New("by itself")), cancel.ErrCancelPending)
				require.ErrorIs(t, task.Err(), errCause)
				cancel.Here() // nothing
				e.block()
				n.add("unwound")
			}()
			task.Yield()
		}, on())
		e.start(func() {
			if err := task.Cancel(errCause); err != nil {
				t.Error(err)
			}
		})
		require.ErrorIs(t, task.Cancel(errors.New("from elsewhere")), cancel.ErrCancelPending)
		require.ErrorIs(t, task.Resume(), ctx.ErrRunning)
		e.finish()
		n.require(t, "unwound")
		requireCancelled(t, task)
	})
}

// Eight goroutines cancel the same tree, of which some wait: each task unwinds
// once, and nil is answered only when all are done.
func TestCancelsAtTheSameTime(t *testing.T) {
	eachTaskStorage(t, func(t *testing.T, on func() ctx.Option) {
		opts := [3]ctx.Option{on(), on(), on()}
		for range scaled(2000, 40) {
			var unwound [3]int
			var tasks [3]*ctx.Task
			spawn(t, func(p *ctx.Task) {
				tasks[0] = p
				for i := range 2 {
					tasks[1+i] = spawn(t, func(c *ctx.Task) {
						defer func() { unwound[1+i]++ }()
						c.Yield()
					}, ctx.WithParent(p), opts[1+i])
				}
				defer func() { unwound[0]++ }()
				p.Yield()
			}, opts[0])
			var wg sync.WaitGroup
			begin := make(chan struct{})
			for i := range 8 {
				wg.Go(func() {
					<-begin
					target := tasks[i%3]
					switch err := target.Cancel(errCause); {
					case err == nil && target.Done():
					case errors.Is(err, cancel.ErrCancelPending):
					default:
						t.Errorf("done is %v, and Cancel answers %v", target.Done(), err)
					}
				})
			}
			close(begin)
			wg.Wait()
			require.Equal(t, [3]int{1, 1, 1}, unwound)
			for _, task := range tasks {
				requireCancelled(t, task)
			}
		}
	})
}
