package tests

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/cancel"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/join"
	"github.com/stackhop/stackhop/resume"
)

// Row: suspended, no children.
func TestCancelOfASuspendedTaskUnwindsItNow(t *testing.T) {
	eachTaskStorage(t, func(t *testing.T, on func() ctx.Option) {
		for _, p := range parks {
			t.Run(p.name, func(t *testing.T) {
				var n notebook
				var h resume.Handle
				opt := on()
				task := spawn(t, func(task *ctx.Task) {
					waitIn(&n, "task", task, func() error { return p.suspend(task, &h) })
				}, opt)
				require.NoError(t, task.Err())
				require.False(t, task.CancelPending())
				require.NoError(t, task.Cancel(errCause))
				n.require(t, "task: left leaf", "task: left")
				requireCancelled(t, task)
				requireStale(t, h)

				// The storage serves again.
				next := spawn(t, func(*ctx.Task) {}, opt)
				require.True(t, next.Done())
				requireStale(t, h)
			})
		}
	})
}

// The same row, with nil for a cause.
func TestCancelWithoutACauseIsContextCanceled(t *testing.T) {
	eachTaskStorage(t, func(t *testing.T, on func() ctx.Option) {
		task := spawn(t, func(task *ctx.Task) { task.Yield() }, on())
		require.NoError(t, task.Cancel(nil))
		require.ErrorIs(t, task.Err(), context.Canceled)
	})
}

// The same row: whoever cancels runs the deferred calls.
func TestCancelOfASuspendedTaskRunsOnTheCaller(t *testing.T) {
	eachTaskStorage(t, func(t *testing.T, on func() ctx.Option) {
		var n notebook
		victim := spawn(t, func(task *ctx.Task) {
			defer func() { n.add("unwinds as itself: %v", ctx.Current() == task) }()
			task.Yield()
		}, on())
		canceller := spawn(t, func(*ctx.Task) {
			n.add("before")
			require.NoError(t, victim.Cancel(errCause))
			n.add("after")
		}, on())
		n.require(t, "before", "unwinds as itself: true", "after")
		requireCancelled(t, victim)
		require.True(t, canceller.Done())
		require.NoError(t, canceller.Err())
	})
}

// Row: suspended inside join, arms suspended.
func TestCancelInsideJoinUnwindsArmsLastFirst(t *testing.T) {
	for _, row := range []struct {
		name string
		join func(arms ...func(*ctx.Task) error)
	}{
		{"All", func(arms ...func(*ctx.Task) error) { _ = join.All(arms...) }},
		{"Any", func(arms ...func(*ctx.Task) error) { _, _ = join.Any(arms...) }},
		{"Race", func(arms ...func(*ctx.Task) error) { _, _ = join.Race(arms...) }},
		{"All on carved stacks", func(arms ...func(*ctx.Task) error) { _ = join.Size(8 << 10).All(arms...) }},
	} {
		t.Run(row.name, func(t *testing.T) {
			eachTaskStorage(t, func(t *testing.T, on func() ctx.Option) {
				var n notebook
				var handles [3]resume.Handle
				arm := func(i int, name string) func(*ctx.Task) error {
					return func(task *ctx.Task) error {
						waitIn(&n, name, task, func() error { return parks[1].suspend(task, &handles[i]) })
						return nil
					}
				}
				task := spawn(t, func(*ctx.Task) {
					defer n.add("parent: left")
					row.join(arm(0, "a"), arm(1, "b"), arm(2, "c"))
					n.add("parent: goes on")
				}, on())
				require.NoError(t, task.Cancel(errCause))
				n.require(t, "c: left leaf", "c: left", "b: left leaf", "b: left", "a: left leaf", "a: left", "parent: left")
				requireCancelled(t, task)
				for _, h := range handles {
					requireStale(t, h)
				}
			})
		})
	}
}

// The same row, with children of WithParent, of two generations.
func TestCancelUnwindsChildrenBeforeParentsLastFirst(t *testing.T) {
	eachTaskStorage(t, func(t *testing.T, on func() ctx.Option) {
		var n notebook
		var tasks []*ctx.Task
		wait := func(name string) func(*ctx.Task) {
			return func(task *ctx.Task) { waitIn(&n, name, task, func() error { task.Yield(); return nil }) }
		}
		parent := spawn(t, func(p *ctx.Task) {
			tasks = append(tasks, spawn(t, wait("first"), ctx.WithParent(p), on()))
			tasks = append(tasks, spawn(t, func(second *ctx.Task) {
				tasks = append(tasks, spawn(t, wait("grandchild"), ctx.WithParent(second), on()))
				wait("second")(second)
			}, ctx.WithParent(p), on()))
			wait("parent")(p)
		}, on())
		require.NoError(t, parent.Cancel(errCause))
		n.require(t, "grandchild: left leaf", "grandchild: left", "second: left leaf", "second: left",
			"first: left leaf", "first: left", "parent: left leaf", "parent: left")
		for _, task := range append(tasks, parent) {
			requireCancelled(t, task)
		}
	})
}

// A child is cancelled without its parent, which goes on.
func TestCancelOfAChildLeavesItsParent(t *testing.T) {
	eachTaskStorage(t, func(t *testing.T, on func() ctx.Option) {
		var child *ctx.Task
		parent := spawn(t, func(p *ctx.Task) {
			child = spawn(t, func(c *ctx.Task) { c.Yield() }, ctx.WithParent(p), on())
			p.Yield()
		}, on())
		require.NoError(t, child.Cancel(errCause))
		requireCancelled(t, child)
		require.NoError(t, parent.Err())
		require.False(t, parent.CancelPending())
		require.NoError(t, parent.Resume())
		require.True(t, parent.Done())
		require.NoError(t, parent.Err())
	})
}

// Row: running, cancelled by itself. It goes on to its next suspension.
func TestCancelOfOneselfUnwindsAtTheNextSuspension(t *testing.T) {
	eachTaskStorage(t, func(t *testing.T, on func() ctx.Option) {
		for _, p := range parks {
			t.Run(p.name, func(t *testing.T) {
				var n notebook
				var h resume.Handle
				task := spawn(t, func(task *ctx.Task) {
					require.ErrorIs(t, task.Cancel(errCause), cancel.ErrCancelPending)
					require.True(t, task.CancelPending())
					require.ErrorIs(t, task.Err(), errCause)
					n.add("still runs")
					waitIn(&n, "task", task, func() error { return p.suspend(task, &h) })
				}, on())
				n.require(t, "still runs", "task: left leaf", "task: left")
				requireCancelled(t, task)
				require.Equal(t, resume.Handle{}, h, "what never suspended is not published")
			})
		}
	})
}

// The same row: a body that does not suspend any more ends as if nobody had asked.
func TestCancelOfOneselfBeforeTheEndChangesNothing(t *testing.T) {
	eachTaskStorage(t, func(t *testing.T, on func() ctx.Option) {
		task := spawn(t, func(task *ctx.Task) {
			require.ErrorIs(t, task.Cancel(errCause), cancel.ErrCancelPending)
		}, on())
		require.True(t, task.Done())
		require.NoError(t, task.Err())
	})
}

// The same row: Here unwinds at once, children first.
func TestHereUnwindsAtOnce(t *testing.T) {
	eachTaskStorage(t, func(t *testing.T, on func() ctx.Option) {
		var n notebook
		here := func(task *ctx.Task) {
			cancel.Here() // nobody has asked
			n.add("asks")
			require.ErrorIs(t, task.Cancel(errCause), cancel.ErrCancelPending)
			waitIn(&n, "task", task, func() error { cancel.Here(); return nil })
		}
		task := spawn(t, here, on())
		n.require(t, "asks", "task: left leaf", "task: left")
		requireCancelled(t, task)

		n = notebook{}
		task = spawn(t, func(task *ctx.Task) {
			spawn(t, func(child *ctx.Task) {
				waitIn(&n, "child", child, func() error { child.Yield(); return nil })
			}, ctx.WithParent(task), on())
			here(task)
		}, on())
		n.require(t, "asks", "child: left leaf", "child: left", "task: left leaf", "task: left")
		requireCancelled(t, task)
		cancel.Here() // on no task: nothing
	})
}

// Row: waiting, and the canceller runs on top of it.
func TestCancelFromChildUnwindsInnerFirst(t *testing.T) {
	eachTaskStorage(t, func(t *testing.T, on func() ctx.Option) {
		var n notebook
		var tasks [3]*ctx.Task
		wait := func(name string, task *ctx.Task) {
			waitIn(&n, name, task, func() error { task.Yield(); return nil })
		}
		spawn(t, func(ancestor *ctx.Task) {
			tasks[0] = ancestor
			spawn(t, func(middle *ctx.Task) {
				tasks[1] = middle
				spawn(t, func(child *ctx.Task) {
					tasks[2] = child
					require.ErrorIs(t, ancestor.Cancel(errCause), cancel.ErrCancelPending)
					for _, task := range tasks {
						require.True(t, task.CancelPending())
					}
					n.add("child: still runs")
					wait("child", child)
				}, ctx.WithParent(middle), on())
				n.add("middle: still runs")
				wait("middle", middle)
			}, ctx.WithParent(ancestor), on())
			n.add("ancestor: still runs")
			wait("ancestor", ancestor)
		}, on())
		n.require(t, "child: still runs", "child: left leaf", "child: left",
			"middle: still runs", "middle: left leaf", "middle: left",
			"ancestor: still runs", "ancestor: left leaf", "ancestor: left")
		for _, task := range tasks {
			requireCancelled(t, task)
		}
	})
}

// The same row: the ancestor waits in a join for the arm that cancels it.
func TestCancelFromAnArmUnwindsTheArmThenTheOthersThenTheParent(t *testing.T) {
	eachTaskStorage(t, func(t *testing.T, on func() ctx.Option) {
		var n notebook
		var h resume.Handle
		parent := spawn(t, func(p *ctx.Task) {
			defer n.add("parent: left")
			_ = join.All(
				func(arm *ctx.Task) error {
					waitIn(&n, "a", arm, func() error { arm.Yield(); return nil })
					return nil
				},
				func(arm *ctx.Task) error {
					_ = parks[1].suspend(arm, &h)
					n.add("b: cancels")
					require.ErrorIs(t, p.Cancel(errCause), cancel.ErrCancelPending)
					n.add("b: still runs")
					waitIn(&n, "b", arm, func() error { arm.Yield(); return nil })
					return nil
				})
			n.add("parent: goes on")
		}, on())
		require.NoError(t, h.Resume())
		n.require(t, "b: cancels", "a: left leaf", "a: left", "b: still runs", "b: left leaf", "b: left", "parent: left")
		requireCancelled(t, parent)
	})
}

// A task that only runs on top of the target, and is no child of it, is not touched.
func TestCancelFromAStrangerOnTopSparesIt(t *testing.T) {
	eachTaskStorage(t, func(t *testing.T, on func() ctx.Option) {
		var n notebook
		var target *ctx.Task
		stranger := spawn(t, func(task *ctx.Task) {
			task.Yield()
			require.ErrorIs(t, target.Cancel(errCause), cancel.ErrCancelPending)
			require.False(t, task.CancelPending())
			task.Yield()
			n.add("stranger: goes on")
		}, on())
		target = spawn(t, func(task *ctx.Task) {
			target = task
			require.NoError(t, stranger.Resume())
			n.add("target: still runs")
			waitIn(&n, "target", task, func() error { task.Yield(); return nil })
		}, on())
		requireCancelled(t, target)
		require.NoError(t, stranger.Resume())
		require.NoError(t, stranger.Err())
		n.require(t, "target: still runs", "target: left leaf", "target: left", "stranger: goes on")
	})
}

// Row: done.
func TestCancelOfADoneTaskIsNothing(t *testing.T) {
	failure := errors.New("failure")
	eachTaskStorage(t, func(t *testing.T, on func() ctx.Option) {
		for _, row := range []struct {
			name string
			body func(*ctx.Task)
			err  error
		}{
			{"returned", func(*ctx.Task) {}, nil},
			{"panicked", func(*ctx.Task) { panic(failure) }, failure},
		} {
			task := spawn(t, row.body, on())
			require.True(t, task.Done())
			require.NoError(t, task.Cancel(errCause))
			require.ErrorIs(t, task.Err(), row.err)
			require.NotErrorIs(t, task.Err(), errCause)
			require.False(t, task.CancelPending())
		}
	})
}

// Row: never started.
func TestCancelOfATaskThatNeverStartedFreesIt(t *testing.T) {
	eachTaskStorage(t, func(t *testing.T, on func() ctx.Option) {
		opt := on()
		task, err := ctx.New(func(*ctx.Task) { t.Error("the body ran") }, opt)
		require.NoError(t, err)
		require.False(t, task.Done())
		require.NoError(t, task.Cancel(errCause))
		requireCancelled(t, task)

		next := spawn(t, func(*ctx.Task) {}, opt)
		require.True(t, next.Done(), "the storage serves again")
	})
}

// The same row, below a parent.
func TestCancelFreesChildrenThatNeverStarted(t *testing.T) {
	eachTaskStorage(t, func(t *testing.T, on func() ctx.Option) {
		var child *ctx.Task
		parent := spawn(t, func(p *ctx.Task) {
			var err error
			child, err = ctx.New(func(*ctx.Task) { t.Error("the body ran") }, ctx.WithParent(p), on())
			require.NoError(t, err)
			p.Yield()
		}, on())
		require.NoError(t, parent.Cancel(errCause))
		requireCancelled(t, child)
		requireCancelled(t, parent)
	})
}
