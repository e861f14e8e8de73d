package ctx_test

import (
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
)

// flatRounds is how often a task is to suspend and go on without any stack for it.
func flatRounds() int {
	if testing.Short() || raceEnabled || portable() {
		return 20_000
	}
	return 10_000_000
}

// A depthMeter finds how many calls are on a stack at most.
type depthMeter struct{ n, max int }

func (d *depthMeter) look() {
	if d.n++; d.n < 200 || d.n%1024 == 0 {
		var pcs [1024]uintptr
		d.max = max(d.max, runtime.Callers(0, pcs[:]))
	}
}

// flat is far less than a thousand nested rounds need, and more than the rounds that nest
// before the nesting is found.
const flat = 400

// onResumers calls f with a resumer that is a goroutine, and on one that is a task
// with a small stack.
func onResumers(t *testing.T, f func(t *testing.T)) {
	t.Run("goroutine", f)
	t.Run("task", func(t *testing.T) {
		var opts []ctx.Option
		if !portable() {
			opts = append(opts, ctx.WithStackSize(64<<10))
		}
		require.NoError(t, spawn(t, func(*ctx.Task) { f(t) }, opts...).Err())
	})
}

func TestAPublishThatResumesItsTaskNeedsNoStack(t *testing.T) {
	onResumers(t, func(t *testing.T) {
		var d depthMeter
		n := flatRounds()
		task := spawn(t, func(task *ctx.Task) {
			for range n {
				task.Suspend(func(h resume.Handle) {
					d.look()
					if err := h.Resume(); err != nil {
						panic(err)
					}
				})
			}
		})
		require.True(t, task.Done())
		require.NoError(t, task.Err())
		require.Equal(t, n, d.n)
		require.Less(t, d.max, flat)
	})
}

// A relay is a Publisher that resumes another task of the ring than the one given.
type relay struct {
	d    *depthMeter
	own  resume.Handle
	next *relay
}

func (r *relay) Publish(h resume.Handle) {
	r.d.look()
	r.own = h
	_ = r.next.own.Resume() // stale: the next one runs, below
}

func TestTasksThatResumeEachOtherInPublishNeedNoStack(t *testing.T) {
	onResumers(t, func(t *testing.T) {
		var d depthMeter
		n := flatRounds()
		var ring [3]relay
		var tasks [3]*ctx.Task
		rounds := 0
		for i := range ring {
			ring[i].d, ring[i].next = &d, &ring[(i+1)%len(ring)]
		}
		for i := range ring {
			tasks[i] = spawn(t, func(task *ctx.Task) {
				task.Suspend(keep(&ring[i].own))
				for rounds < n {
					rounds++
					task.SuspendTo(&ring[i])
				}
			})
		}
		require.NoError(t, ring[0].own.Resume())
		require.GreaterOrEqual(t, rounds, n)
		require.Less(t, d.max, flat)
		for i, task := range tasks { // one has ended, the others wait for it
			if !task.Done() {
				require.NoError(t, task.Cancel(errWhy), i)
			}
		}
	})
}

func TestATransferWhosePublishResumesItsTaskNeedsNoStack(t *testing.T) {
	onResumers(t, func(t *testing.T) {
		var d depthMeter
		n := flatRounds() / 10
		var other resume.Handle
		to := spawn(t, func(to *ctx.Task) {
			for {
				to.Suspend(keep(&other))
			}
		})
		from := spawn(t, func(task *ctx.Task) {
			for range n {
				err := task.TransferTo(other, resume.PublishFunc(func(h resume.Handle) {
					d.look()
					_ = h.Resume()
				}))
				if err != nil { // the other one is below: it publishes this
					task.Suspend(func(h resume.Handle) {
						d.look()
						_ = h.Resume()
					})
				}
			}
		})
		require.NoError(t, from.Err())
		require.True(t, from.Done())
		require.Less(t, d.max, flat)
		require.NoError(t, to.Cancel(nil))
	})
}

// A few levels nest as they always did: Resume returns when the task that it continued
// has suspended and its suspension is published.
func TestShallowPublishesAreMadeBeforeResumeReturns(t *testing.T) {
	for range 100 {
		var order []string
		say := func(what string) { order = append(order, what) }
		task := spawn(t, func(task *ctx.Task) {
			task.Suspend(func(h resume.Handle) {
				say("first begins")
				_ = h.Resume()
				say("first ends")
			})
			task.Suspend(func(h resume.Handle) {
				say("second begins")
				_ = h.Resume()
				say("second ends")
			})
		})
		require.True(t, task.Done())
		require.Equal(t, []string{"first begins", "second begins", "second ends", "first ends"}, order)
	}
}

// What is postponed is not lost when a Publish panics.
func TestAPanicInANestedPublishLosesNoOther(t *testing.T) {
	for at := range 60 {
		var left resume.Handle
		rounds := 0
		var task *ctx.Task
		var err error
		require.PanicsWithValue(t, errWhy, func() {
			_, err = ctx.Spawn(func(own *ctx.Task) {
				task = own
				for {
					rounds++
					own.Suspend(func(h resume.Handle) {
						left = h
						if rounds > at {
							panic(errWhy)
						}
						_ = h.Resume()
					})
				}
			})
		}, at)
		require.NoError(t, err)
		require.Equal(t, at+1, rounds)
		require.True(t, left.Live(), "suspended under its last handle")
		require.NoError(t, task.Cancel(errWhy))

		// And the goroutine is as before: a Publish on it is made at once.
		published := false
		next := spawn(t, func(next *ctx.Task) { next.Suspend(func(resume.Handle) { published = true }) })
		require.True(t, published)
		require.NoError(t, next.Cancel(nil))
	}
}

// A waiting task that goes on at the end of another, and ends, and so on: however
// long such a chain is, and however many wait for each, it needs no stack.
func TestChainsOfWaitersNeedNoStack(t *testing.T) {
	onResumers(t, func(t *testing.T) {
		var d depthMeter
		n := 3000
		if testing.Short() {
			n = 300
		}
		var k keeper
		first := spawn(t, func(task *ctx.Task) { task.SuspendTo(&k) })
		last, ended := first, 0
		for range n {
			of := last
			for range 3 {
				last = spawn(t, func(*ctx.Task) {
					_ = of.Wait()
					ended++
				}, ctx.WithOnEnd(endFunc(func(*ctx.Task) { d.look() })))
			}
		}
		require.NoError(t, k.h.Resume())
		require.Equal(t, 3*n, ended)
		require.Less(t, d.max, flat)
	})
}

// There is room for any number of goroutines that are in a Publish.
func TestPublishesNestFlatOnManyGoroutinesAtOnce(t *testing.T) {
	goroutines := 1000
	if raceEnabled {
		goroutines = 300
	}
	var inside, done sync.WaitGroup
	inside.Add(goroutines)
	deepest := make([]int, goroutines)
	for i := range goroutines {
		done.Go(func() {
			var d depthMeter
			rounds := 0
			task, err := ctx.Spawn(func(task *ctx.Task) {
				for range 300 {
					task.Suspend(func(h resume.Handle) {
						if rounds++; rounds == 50 { // by now it is noted
							inside.Done()
							inside.Wait()
						}
						d.look()
						_ = h.Resume()
					})
				}
			})
			if err != nil || !task.Done() || task.Err() != nil || rounds != 300 {
				panic("not all rounds")
			}
			deepest[i] = d.max
		})
	}
	done.Wait()
	require.Less(t, slices.Max(deepest), flat)
}

// Trees of tasks are walked by loops: a cancel of one, from a task that has little
// stack, needs as much for a deep one as for a flat one. So does the end of a task
// with children that wait for children of their own.
func TestDeepTreesOfTasksEndWithoutStack(t *testing.T) {
	depth := 3000
	if testing.Short() {
		depth = 300
	}
	onResumers(t, func(t *testing.T) {
		var d depthMeter
		ended := endFunc(func(*ctx.Task) { d.look() })
		unwound := 0
		suspended := func(task *ctx.Task) {
			defer func() { unwound++; d.look() }()
			task.Yield()
		}
		var roots []*ctx.Task
		for range 2 {
			roots = append(roots, nest(t, depth, suspended, ctx.WithOnEnd(ended)))
		}
		require.NoError(t, roots[0].Cancel(errWhy))
		require.Equal(t, 1, unwound)
		require.NoError(t, roots[1].Resume(), "it returns, and so do all that are below it")
		require.True(t, roots[1].Done())
		require.Equal(t, 2, unwound)
		require.Less(t, d.max, flat)

		// The innermost ends last: each parent waits for its child, and is continued by it.
		var innermost *ctx.Task
		var enter func(task *ctx.Task, n int)
		enter = func(task *ctx.Task, n int) {
			if n == 0 {
				innermost = task
				task.Yield()
				return
			}
			child := spawn(t, func(child *ctx.Task) { enter(child, n-1) }, ctx.WithParent(task), ctx.WithOnEnd(ended))
			require.NoError(t, child.Wait())
		}
		root := spawn(t, func(task *ctx.Task) { enter(task, depth) }, ctx.WithOnEnd(ended))
		require.False(t, root.Done())
		require.NoError(t, innermost.Resume())
		require.True(t, root.Done())
		require.NoError(t, root.Err())
		require.Less(t, d.max, flat)
	})
}
