package tests

import (
	"errors"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/cancel"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/guard"
	"github.com/stackhop/stackhop/resume"
)

func TestRecoverCannotStopACancel(t *testing.T) {
	eachTaskStorage(t, func(t *testing.T, on func() ctx.Option) {
		var n notebook
		stop := func(where string) {
			if v := recover(); v != nil {
				n.add("recovered %v", v)
			}
			n.add("%s: nothing to recover", where)
		}
		task := spawn(t, func(task *ctx.Task) {
			defer stop("outer")
			for {
				func() {
					defer stop("inner")
					task.Yield()
				}()
				n.add("goes on")
			}
		}, on())
		require.NoError(t, task.Cancel(errCause))
		n.require(t, "inner: nothing to recover", "outer: nothing to recover")
		requireCancelled(t, task)
	})
}

// A panic that a deferred call raises and another recovers does not stop it
// either.
func TestARecoveredPanicDoesNotStopACancel(t *testing.T) {
	eachTaskStorage(t, func(t *testing.T, on func() ctx.Option) {
		var n notebook
		task := spawn(t, func(task *ctx.Task) {
			defer n.add("left")
			func() {
				defer func() { n.add("recovered: %v", recover()) }()
				defer func() { panic("of a deferred call") }()
				task.Yield()
			}()
			n.add("goes on")
		}, on())
		require.NoError(t, task.Cancel(errCause))
		n.require(t, "recovered: of a deferred call", "left")
		requireCancelled(t, task)
	})
}

// A Goexit of a deferred call changes nothing: the task was cancelled.
func TestGoexitInADeferredCallOfACancelledTask(t *testing.T) {
	eachTaskStorage(t, func(t *testing.T, on func() ctx.Option) {
		var n notebook
		task := spawn(t, func(task *ctx.Task) {
			defer n.add("left")
			defer runtime.Goexit()
			task.Yield()
		}, on())
		require.NoError(t, task.Cancel(errCause))
		n.require(t, "left")
		requireCancelled(t, task)
	})
}

func TestErrIsVisibleInDeferredCalls(t *testing.T) {
	eachTaskStorage(t, func(t *testing.T, on func() ctx.Option) {
		looked := 0
		look := func(task *ctx.Task) {
			looked++
			require.ErrorIs(t, task.Err(), errCause)
			var ce *cancel.Error
			require.ErrorAs(t, task.Err(), &ce)
			require.True(t, task.CancelPending())
			require.False(t, task.Done())
			require.Same(t, task, ctx.Current())
		}
		task := spawn(t, func(task *ctx.Task) {
			defer look(task)
			func() {
				defer look(task)
				task.Yield()
			}()
		}, on())
		require.NoError(t, task.Cancel(errCause))
		require.Equal(t, 2, looked)
	})
}

// What would suspend an unwinding task answers ErrUnwinding at once; what has no
// result for that panics with it.
func TestSuspendingInDeferredCallsIsErrUnwinding(t *testing.T) {
	eachTaskStorage(t, func(t *testing.T, on func() ctx.Option) {
		var h resume.Handle
		never := func(resume.Handle) { t.Error("published") }
		other := spawn(t, func(other *ctx.Task) { _ = parks[1].suspend(other, &h) }, on())
		tries := 0
		task := spawn(t, func(task *ctx.Task) {
			defer func() {
				for _, try := range []func() error{
					func() error { return task.Park(resume.PublishFunc(never)) },
					other.Wait,
					h.Transfer,
					func() error { return h.TransferPublish(never) },
					func() error { return h.TransferTo(resume.PublishFunc(never)) },
				} {
					require.ErrorIs(t, try(), cancel.ErrUnwinding)
					tries++
				}
				for _, try := range []func(){
					task.Yield,
					func() { task.Suspend(never) },
					func() { ctx.Suspend(never) },
					func() { task.SuspendTo(resume.PublishFunc(never)) },
				} {
					require.PanicsWithValue(t, cancel.ErrUnwinding, try)
					tries++
				}
				require.True(t, h.Live(), "a transfer that was refused leaves the handle")
			}()
			task.Yield()
		}, on())
		require.NoError(t, task.Cancel(errCause))
		require.Equal(t, 9, tries)
		requireCancelled(t, task)
		require.NoError(t, h.Resume())
		require.True(t, other.Done())
	})
}

// A deferred call may run other tasks; they are no children, and may suspend.
func TestDeferredCallsOfACancelledTaskMayRunOthers(t *testing.T) {
	eachTaskStorage(t, func(t *testing.T, on func() ctx.Option) {
		var n notebook
		opts := [2]ctx.Option{on(), on()}
		other := spawn(t, func(other *ctx.Task) {
			other.Yield()
			n.add("other runs")
			other.Yield()
		}, on())
		var late *ctx.Task
		task := spawn(t, func(task *ctx.Task) {
			defer func() {
				require.NoError(t, other.Resume())
				late = spawn(t, func(late *ctx.Task) { n.add("late runs"); late.Yield() }, opts[1])
				_, err := ctx.Spawn(func(*ctx.Task) { t.Error("a child began") }, ctx.WithParent(task))
				require.ErrorIs(t, err, errCause)
			}()
			task.Yield()
		}, opts[0])
		require.NoError(t, task.Cancel(errCause))
		n.require(t, "other runs", "late runs")
		require.NoError(t, other.Resume())
		require.NoError(t, late.Resume())
		require.NoError(t, other.Err())
		require.NoError(t, late.Err())
	})
}

func TestPanicInADeferredCallReplacesTheOutcome(t *testing.T) {
	failure := errors.New("failure")
	eachTaskStorage(t, func(t *testing.T, on func() ctx.Option) {
		for _, row := range []struct {
			name  string
			value any
			with  func(task *ctx.Task)
		}{
			{"error", failure, func(*ctx.Task) { panic(failure) }},
			{"text", "failure", func(*ctx.Task) { panic("failure") }},
			{"ErrUnwinding", cancel.ErrUnwinding, func(task *ctx.Task) { task.Yield() }},
		} {
			var n notebook
			task := spawn(t, func(task *ctx.Task) {
				defer n.add("left")
				defer row.with(task)
				task.Yield()
			}, ctx.WithName("victim"), on())
			require.NoError(t, task.Cancel(errCause))
			n.require(t, "left")
			require.True(t, task.Done())
			var pe *ctx.PanicError
			require.ErrorAs(t, task.Err(), &pe)
			require.Equal(t, row.value, pe.Value)
			require.Contains(t, string(pe.Stack), "TestPanicInADeferredCall")
			require.Contains(t, pe.Error(), "victim")
			var ce *cancel.Error
			require.ErrorAs(t, task.Err(), &ce, "the chain includes the cancel error")
			require.ErrorIs(t, task.Err(), errCause)
			if err, ok := row.value.(error); ok {
				require.ErrorIs(t, task.Err(), err)
			}
		}
	})
}

// The storage is the task's until its last frame is gone, and free right after.
func TestAStackIsFreeAfterTheLastFrame(t *testing.T) {
	t.Run("caller's", func(t *testing.T) {
		for _, st := range taskStorages[3:] {
			t.Run(st.name, func(t *testing.T) {
				opt := st.next(t)()
				tried := false
				task := spawn(t, func(task *ctx.Task) {
					defer func() {
						_, err := ctx.Spawn(func(*ctx.Task) {}, opt)
						require.ErrorIs(t, err, ctx.ErrStackInUse)
						tried = true
					}()
					task.Yield()
				}, opt, ctx.WithOnEnd(enderFunc(func(task *ctx.Task) {
					require.True(t, task.Done())
					require.True(t, spawn(t, func(*ctx.Task) {}, opt).Done(), "free when TaskEnded is called")
				})))
				require.NoError(t, task.Cancel(errCause))
				require.True(t, tried)
			})
		}
	})
	t.Run("pooled", func(t *testing.T) {
		needAsm(t)
		pool, err := guard.Default(1 << 20) // no other test's
		require.NoError(t, err)
		before := pool.Stats().InUse
		var inside int
		task := spawn(t, func(task *ctx.Task) {
			defer func() { inside = pool.Stats().InUse }()
			task.Yield()
		}, ctx.WithStackSize(1<<20), ctx.WithOnEnd(enderFunc(func(*ctx.Task) {
			require.Equal(t, before, pool.Stats().InUse)
		})))
		require.Equal(t, before+1, pool.Stats().InUse)
		require.NoError(t, task.Cancel(errCause))
		require.Equal(t, before+1, inside)
		require.Equal(t, before, pool.Stats().InUse)
	})
}

type enderFunc func(t *ctx.Task)

func (f enderFunc) TaskEnded(t *ctx.Task) resume.Handle { f(t); return resume.Handle{} }

// Handles from before a cancel stay stale when Task, stack and coroutine serve
// again.
func TestHandlesOfACancelledTaskStayStale(t *testing.T) {
	eachTaskStorage(t, func(t *testing.T, on func() ctx.Option) {
		opt := on()
		var old []resume.Handle
		for range scaled(200, 20) {
			var h resume.Handle
			task := spawn(t, func(task *ctx.Task) { _ = parks[1].suspend(task, &h) }, opt)
			for _, h := range old {
				requireStale(t, h)
			}
			require.True(t, h.Live())
			require.NoError(t, task.Cancel(errCause))
			require.NoError(t, task.Free())
			old = append(old, h)
		}
	})
}
