package ctx_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/cancel"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
)

var errWhy = errors.New("why")

// keeper is a Publisher that keeps the handle.
type keeper struct{ h resume.Handle }

func (k *keeper) Publish(h resume.Handle) { k.h = h }

func TestCancelOfASuspendedTaskRunsItsDeferredCalls(t *testing.T) {
	for name, suspend := range map[string]func(task *ctx.Task, k *keeper){
		"yielded":          func(task *ctx.Task, k *keeper) { task.Yield() },
		"under a handle":   func(task *ctx.Task, k *keeper) { task.SuspendTo(k) },
		"parked by a leaf": func(task *ctx.Task, k *keeper) { _ = task.Park(k) },
	} {
		t.Run(name, func(t *testing.T) {
			var order []string
			var k keeper
			task, err := ctx.Spawn(func(task *ctx.Task) {
				defer func() {
					order = append(order, "outer")
					require.Nil(t, recover())
				}()
				defer func() {
					order = append(order, "inner")
					require.Nil(t, recover())
					require.ErrorIs(t, task.Err(), errWhy)
					require.ErrorIs(t, task.Park(&k), cancel.ErrUnwinding)
					require.PanicsWithValue(t, cancel.ErrUnwinding, func() { task.Yield() })
					require.PanicsWithValue(t, cancel.ErrUnwinding, func() { task.SuspendTo(&k) })
				}()
				suspend(task, &k)
				t.Error("resumed")
			})
			require.NoError(t, err)
			require.NoError(t, task.Cancel(errWhy))
			require.True(t, task.Done())
			require.Equal(t, []string{"inner", "outer"}, order)
			var ce *cancel.Error
			require.ErrorAs(t, task.Err(), &ce)
			require.ErrorIs(t, task.Err(), errWhy)
			require.ErrorIs(t, k.h.Resume(), resume.ErrStale)
			require.ErrorIs(t, task.Resume(), ctx.ErrDone)
			require.NoError(t, task.Cancel(nil), "done already")
		})
	}
}

func TestCancelOfARunningTaskWaitsForItsSuspension(t *testing.T) {
	reached := 0
	task, err := ctx.Spawn(func(task *ctx.Task) {
		require.ErrorIs(t, task.Cancel(nil), cancel.ErrCancelPending)
		require.True(t, task.CancelPending())
		require.ErrorIs(t, task.Err(), context.Canceled)
		reached++
		task.Suspend(func(resume.Handle) { t.Error("published") })
		reached++
	})
	require.NoError(t, err)
	require.True(t, task.Done())
	require.Equal(t, 1, reached)
	require.ErrorIs(t, task.Err(), context.Canceled)
}

func TestHereUnwindsAtOnce(t *testing.T) {
	task, err := ctx.Spawn(func(task *ctx.Task) {
		cancel.Here()
		_ = task.Cancel(errWhy)
		cancel.Here()
		t.Error("went on")
	})
	require.NoError(t, err)
	require.ErrorIs(t, task.Err(), errWhy)
	cancel.Here()
}

func TestChildrenGoBeforeParentsLastFirst(t *testing.T) {
	var order []string
	body := func(name string, then func(*ctx.Task)) func(*ctx.Task) {
		return func(task *ctx.Task) {
			defer func() { order = append(order, name) }()
			then(task)
			task.Yield()
			t.Error("resumed")
		}
	}
	leaf := func(*ctx.Task) {}
	task, err := ctx.Spawn(body("root", func(task *ctx.Task) {
		for _, name := range []string{"a", "b"} {
			_, err := ctx.Spawn(body(name, func(task *ctx.Task) {
				for _, n := range []string{"1", "2"} {
					_, err := ctx.Spawn(body(name+n, leaf), ctx.WithParent(task))
					require.NoError(t, err)
				}
			}), ctx.WithParent(task))
			require.NoError(t, err)
		}
	}))
	require.NoError(t, err)
	require.NoError(t, task.Cancel(nil))
	require.Equal(t, []string{"b2", "b1", "b", "a2", "a1", "a", "root"}, order)
}

func TestCancelFromChildUnwindsInnerFirst(t *testing.T) {
	var order []string
	parent, err := ctx.Spawn(func(parent *ctx.Task) {
		defer func() { order = append(order, "parent") }()
		child, err := ctx.Spawn(func(child *ctx.Task) {
			defer func() { order = append(order, "child") }()
			child.Yield()
			require.ErrorIs(t, parent.Cancel(errWhy), cancel.ErrCancelPending)
			require.True(t, child.CancelPending())
			order = append(order, "goes on")
			child.Yield()
			t.Error("resumed")
		}, ctx.WithParent(parent))
		require.NoError(t, err)
		require.NoError(t, child.Resume())
		require.True(t, child.Done())
		require.ErrorIs(t, child.Err(), errWhy)
		_, err = ctx.Spawn(func(*ctx.Task) { t.Error("began") }, ctx.WithParent(parent))
		require.ErrorIs(t, err, errWhy)
		order = append(order, "parent goes on")
		parent.Yield()
		t.Error("resumed")
	})
	require.NoError(t, err)
	require.ErrorIs(t, parent.Err(), errWhy)
	require.True(t, parent.Done())
	require.Equal(t, []string{"goes on", "child", "parent goes on", "parent"}, order)
}

func TestParentWaitsForAChildThatRunsElsewhere(t *testing.T) {
	running, goOn := make(chan struct{}), make(chan struct{})
	var k keeper
	var order []string
	parent, err := ctx.Spawn(func(parent *ctx.Task) {
		defer func() { order = append(order, "parent") }()
		_, err := ctx.Spawn(func(child *ctx.Task) {
			defer func() { order = append(order, "child") }()
			child.SuspendTo(&k)
			close(running)
			<-goOn
			child.Yield()
			t.Error("resumed")
		}, ctx.WithParent(parent))
		require.NoError(t, err)
		parent.Yield()
		t.Error("resumed")
	})
	require.NoError(t, err)
	var wg sync.WaitGroup
	wg.Go(func() { require.NoError(t, k.h.Resume()) })
	<-running
	require.ErrorIs(t, parent.Cancel(errWhy), cancel.ErrCancelPending)
	require.ErrorIs(t, parent.Resume(), cancel.ErrUnwinding)
	require.ErrorIs(t, parent.Cancel(nil), cancel.ErrCancelPending)
	close(goOn)
	wg.Wait()
	require.True(t, parent.Done())
	require.ErrorIs(t, parent.Err(), errWhy)
	require.Equal(t, []string{"child", "parent"}, order)
}

func TestTheEndOfAParentEndsItsChildren(t *testing.T) {
	for name, end := range map[string]func(){
		"return": func() {},
		"panic":  func() { panic("boo") },
		"Goexit": runtime.Goexit,
	} {
		t.Run(name, func(t *testing.T) {
			var child *ctx.Task
			parent, err := ctx.Spawn(func(parent *ctx.Task) {
				child, _ = ctx.Spawn(func(child *ctx.Task) { child.Yield() }, ctx.WithParent(parent))
				end()
			})
			require.NoError(t, err)
			require.True(t, parent.Done())
			require.True(t, child.Done())
			require.ErrorIs(t, child.Err(), ctx.ErrParentEnded)
		})
		t.Run(name+", child elsewhere", func(t *testing.T) {
			running, goOn := make(chan struct{}), make(chan struct{})
			var k keeper
			parent, err := ctx.Spawn(func(parent *ctx.Task) {
				_, err := ctx.Spawn(func(child *ctx.Task) {
					child.SuspendTo(&k)
					close(running)
					<-goOn
					child.Yield()
				}, ctx.WithParent(parent))
				require.NoError(t, err)
				parent.Yield()
				end()
			})
			require.NoError(t, err)
			var wg sync.WaitGroup
			wg.Go(func() { require.NoError(t, k.h.Resume()) })
			<-running
			require.NoError(t, parent.Resume())
			require.False(t, parent.Done())
			close(goOn)
			require.NotErrorIs(t, parent.Wait(), cancel.ErrUnwinding)
			wg.Wait()
			require.True(t, parent.Done())
		})
	}
}

func TestAPanicDuringACancelReplacesTheOutcome(t *testing.T) {
	task, err := ctx.Spawn(func(task *ctx.Task) {
		defer func() { panic("deferred") }()
		task.Yield()
	})
	require.NoError(t, err)
	require.NoError(t, task.Cancel(errWhy))
	var pe *ctx.PanicError
	require.ErrorAs(t, task.Err(), &pe)
	require.Equal(t, "deferred", pe.Value)
	require.ErrorIs(t, task.Err(), errWhy)
}

func TestNewBeginsAtTheFirstResume(t *testing.T) {
	began := 0
	task, err := ctx.New(func(task *ctx.Task) { began++; task.Yield(); began++ })
	require.NoError(t, err)
	require.Zero(t, began)
	require.NoError(t, task.Resume())
	require.Equal(t, 1, began)
	require.NoError(t, task.Resume())
	require.True(t, task.Done())

	for _, opts := range [][]ctx.Option{nil, {ctx.WithNativeStack()}} {
		task, err = ctx.New(func(*ctx.Task) { t.Error("began") }, opts...)
		require.NoError(t, err)
		require.NoError(t, task.Cancel(errWhy))
		require.True(t, task.Done())
		require.ErrorIs(t, task.Err(), errWhy)
		require.NoError(t, task.Free())
	}
	task, err = ctx.Spawn(func(*ctx.Task) { began++ })
	require.NoError(t, err)
	require.True(t, task.Done())
	require.Equal(t, 3, began)
}

func TestContexts(t *testing.T) {
	t.Run("of another cancels the task", func(t *testing.T) {
		c, stop := context.WithCancelCause(context.WithValue(context.Background(), keeper{}, "value"))
		task, err := ctx.Spawn(func(task *ctx.Task) { task.Yield() }, ctx.WithContext(c))
		require.NoError(t, err)
		require.Equal(t, "value", task.Context().Value(keeper{}))
		stop(errWhy)
		require.ErrorIs(t, task.Wait(), errWhy)
		_, err = ctx.Spawn(func(*ctx.Task) { t.Error("began") }, ctx.WithContext(c))
		require.ErrorIs(t, err, errWhy)
	})
	t.Run("of the task is done when it is asked", func(t *testing.T) {
		task, err := ctx.Spawn(func(task *ctx.Task) {
			c := task.Context()
			require.NoError(t, c.Err())
			_ = task.Cancel(errWhy)
			<-c.Done()
			require.ErrorIs(t, context.Cause(c), errWhy)
			require.Equal(t, c, task.Context())
		})
		require.NoError(t, err)
		require.NoError(t, task.Err(), "it returned")
	})
	t.Run("of the task is done when it ends", func(t *testing.T) {
		var c context.Context
		_, err := ctx.Spawn(func(task *ctx.Task) { c = task.Context() })
		require.NoError(t, err)
		<-c.Done()
	})
}

func TestWait(t *testing.T) {
	var k keeper
	task, err := ctx.Spawn(func(task *ctx.Task) { task.SuspendTo(&k); panic(errWhy) })
	require.NoError(t, err)
	var order []int
	waiters := make([]*ctx.Task, 4)
	for i := range waiters {
		waiters[i], err = ctx.Spawn(func(*ctx.Task) {
			require.ErrorIs(t, task.Wait(), errWhy)
			order = append(order, i)
		})
		require.NoError(t, err)
	}
	require.NoError(t, waiters[2].Cancel(nil))
	var wg sync.WaitGroup
	wg.Go(func() { require.ErrorIs(t, task.Wait(), errWhy) })
	runtime.Gosched()
	require.NoError(t, k.h.Resume())
	wg.Wait()
	require.Equal(t, []int{0, 1, 3}, order)
	require.ErrorIs(t, task.Wait(), errWhy)
}

// A cancel from another thread must never miss the moment at which the task
// suspends: whoever comes second has to see the other.
func TestCancelRacesWithSuspension(t *testing.T) {
	n := 20000
	if testing.Short() || raceEnabled {
		n = 1000
	}
	for i := range n {
		task, err := ctx.Spawn(func(task *ctx.Task) {
			defer func() { require.ErrorIs(t, task.Err(), errWhy) }()
			for {
				task.Yield()
			}
		})
		require.NoError(t, err)
		var wg sync.WaitGroup
		wg.Go(func() {
			for range i % 64 {
				_ = task.Done()
			}
			err := task.Cancel(errWhy)
			if err != nil {
				require.ErrorIs(t, err, cancel.ErrCancelPending)
			}
		})
		for {
			if err := task.Resume(); err != nil {
				break
			}
		}
		wg.Wait()
		require.True(t, task.Done(), "%v", task)
		require.NoError(t, task.Free())
	}
}

func TestWithParentNeedsAnAncestor(t *testing.T) {
	task, err := ctx.Spawn(func(task *ctx.Task) { task.Yield() })
	require.NoError(t, err)
	for _, p := range []*ctx.Task{nil, task} {
		_, err = ctx.Spawn(func(*ctx.Task) { t.Error("began") }, ctx.WithParent(p))
		var oe *ctx.OptionError
		require.ErrorAs(t, err, &oe)
		require.Equal(t, "WithParent", oe.Option)
	}
	require.NoError(t, task.Cancel(nil))
	var none context.Context
	_, err = ctx.Spawn(func(*ctx.Task) { t.Error("began") }, ctx.WithContext(none))
	require.ErrorIs(t, err, ctx.ErrOption)
}

// Each of many tasks waits for the one before. The end of the first leads to
// that of all others, on one small stack.
func TestAChainOfEndsNeedsNoStack(t *testing.T) {
	first, err := ctx.Spawn(func(task *ctx.Task) { task.Yield() })
	require.NoError(t, err)
	ended, last := 0, first
	for range 3000 {
		before := last
		last, err = ctx.Spawn(func(*ctx.Task) {
			require.NoError(t, before.Wait())
			ended++
		})
		require.NoError(t, err)
	}
	_, err = ctx.Spawn(func(*ctx.Task) { require.NoError(t, first.Resume()) })
	require.NoError(t, err)
	require.Equal(t, 3000, ended)
	require.True(t, last.Done())
}

func TestAnEndingParentGetsNoChildren(t *testing.T) {
	var late error
	parent, err := ctx.Spawn(func(parent *ctx.Task) {
		_, err := ctx.Spawn(func(child *ctx.Task) {
			defer func() {
				_, late = ctx.Spawn(func(*ctx.Task) { t.Error("began") }, ctx.WithParent(parent))
			}()
			child.Yield()
		}, ctx.WithParent(parent))
		require.NoError(t, err)
	})
	require.NoError(t, err)
	require.True(t, parent.Done())
	require.ErrorIs(t, late, ctx.ErrParentEnded)
}

func TestNewInABubble(t *testing.T) {
	outside, err := ctx.Spawn(func(*ctx.Task) {})
	require.NoError(t, err)
	require.NoError(t, outside.Free())
	synctest.Test(t, func(t *testing.T) {
		began := false
		task, err := ctx.New(func(*ctx.Task) { began = true })
		require.NoError(t, err)
		require.NoError(t, task.Resume())
		require.True(t, began)
		unbegun, err := ctx.New(func(*ctx.Task) { t.Error("began") })
		require.NoError(t, err)
		require.NoError(t, unbegun.Cancel(nil))
	})
}

type endFunc func(*ctx.Task)

func (f endFunc) TaskEnded(t *ctx.Task) (none resume.Handle) { f(t); return }

// The cancelled task ends in the middle of the call, its owner frees it, and
// spawns another.
func TestCancelDoesNotMeetTheNextTask(t *testing.T) {
	var next *ctx.Task
	again := endFunc(func(ended *ctx.Task) {
		require.NoError(t, ended.Free())
		var err error
		next, err = ctx.Spawn(func(task *ctx.Task) { task.Yield() })
		require.NoError(t, err)
	})
	task, err := ctx.Spawn(func(task *ctx.Task) {
		_, err := ctx.Spawn(func(child *ctx.Task) { child.Yield() }, ctx.WithParent(task))
		require.NoError(t, err)
		task.Yield()
	}, ctx.WithOnEnd(again))
	require.NoError(t, err)
	require.NoError(t, task.Cancel(errWhy))
	require.False(t, next.Done())
	require.NoError(t, next.Err())
	require.NoError(t, next.Resume())
	require.True(t, next.Done())
}

// A task that is continued by the end of another one suspends with a Publisher
// that panics. Everybody else is served all the same.
func TestAPanicOfAPublisherKeepsNobodyElse(t *testing.T) {
	ends := 0
	var h resume.Handle
	bad := func() *ctx.Task {
		task, err := ctx.Spawn(func(task *ctx.Task) {
			task.Suspend(keep(&h))
			task.Suspend(func(resume.Handle) { panic("publish") })
		})
		require.NoError(t, err)
		return task
	}
	t.Run("while a parent ends", func(t *testing.T) {
		b := bad()
		parent, err := ctx.Spawn(func(parent *ctx.Task) {
			for range 3 {
				_, err := ctx.Spawn(func(c *ctx.Task) {
					defer func() { ends++ }()
					c.Yield()
				}, ctx.WithParent(parent), ctx.WithOnEnd(namesOf(&h)))
				require.NoError(t, err)
			}
		})
		require.NoError(t, err)
		require.True(t, parent.Done())
		require.Equal(t, 3, ends)
		var pe *ctx.PanicError
		require.ErrorAs(t, parent.Err(), &pe)
		require.Equal(t, "publish", pe.Value)
		require.NoError(t, b.Cancel(nil))
	})
	t.Run("among those who wait", func(t *testing.T) {
		b := bad()
		task, err := ctx.Spawn(func(task *ctx.Task) { task.Yield() }, ctx.WithOnEnd(namesOf(&h)))
		require.NoError(t, err)
		var waiters [3]*ctx.Task
		for i := range waiters {
			waiters[i], err = ctx.Spawn(func(*ctx.Task) { require.NoError(t, task.Wait()) })
			require.NoError(t, err)
		}
		require.PanicsWithValue(t, "publish", func() { _ = task.Resume() })
		for _, w := range waiters {
			require.True(t, w.Done())
		}
		require.NoError(t, b.Cancel(nil))
	})
	t.Run("while a task cancels itself", func(t *testing.T) {
		b := bad()
		task, err := ctx.Spawn(func(task *ctx.Task) {
			_, err := ctx.Spawn(func(c *ctx.Task) { c.Yield() }, ctx.WithParent(task), ctx.WithOnEnd(namesOf(&h)))
			require.NoError(t, err)
			_ = task.Cancel(errWhy) // unwinds the child; the panic comes out here
			t.Error("went on")
		})
		require.NoError(t, err)
		require.True(t, task.Done())
		var pe *ctx.PanicError
		require.ErrorAs(t, task.Err(), &pe)
		require.NoError(t, b.Cancel(nil))
	})
}

// namesOf is an Ender that names the task of *h.
func namesOf(h *resume.Handle) ctx.Ender { return namer{h} }

type namer struct{ h *resume.Handle }

func (n namer) TaskEnded(*ctx.Task) resume.Handle { return *n.h }
