package guard_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/guard"
)

// sinkTo calls f with no more than left bytes of stack left, and little less.
//
//go:noinline
func sinkTo(left int, f func()) {
	if stackhop.StackLeft() > left+128 {
		sinkTo(left, f)
		return
	}
	f()
}

// What Grow leaves is enough for the next Grow, also where that has to make the
// pool, the stack and the coroutine.
func TestHopReserveHoldsAHop(t *testing.T) {
	needAsm(t)
	for class := range 5 {
		eachPolicy(t, func(t *testing.T, policy guard.Policy) {
			left, done := 0, false
			task := spawn(t, policy, func(task *ctx.Task) {
				sinkTo(guard.HopReserve, func() {
					left = stackhop.StackLeft()
					require.NoError(t, guard.Grow(all<<(3+class), func() {
						task.Yield()
						done = true
					}))
				})
			})
			require.NoError(t, task.Resume())
			require.NoError(t, task.Err())
			require.True(t, done)
			require.Less(t, left, guard.HopReserve)
		})
	}
}

func TestHopInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		steps := 0
		task, err := ctx.Spawn(func(task *ctx.Task) {
			grow(func() {
				task.Yield()
				steps++
			})
		})
		require.NoError(t, err)
		finish(t, task)
		require.Equal(t, 1, steps)
		if stackhop.Backend().Name != "asm" {
			return
		}
		s, err := guard.New(guard.Strict, 32<<10)
		require.NoError(t, err)
		task, err = ctx.Spawn(func(task *ctx.Task) {
			grow(func() {
				task.Yield()
				steps++
			})
			defer func() { steps++ }()
			grow(runtime.Goexit)
		}, ctx.WithStack(s))
		require.NoError(t, err)
		finish(t, task)
		require.ErrorIs(t, task.Err(), ctx.ErrGoexit)
		require.Equal(t, 3, steps)
		require.NoError(t, s.Close())
	})
	require.Zero(t, guard.AuxInUse())
}

func finish(t *testing.T, task *ctx.Task) {
	t.Helper()
	for !task.Done() {
		require.NoError(t, task.Resume())
	}
}

// A walker does random things, of which it knows what they must come to.
type walker struct {
	*rand.Rand
	task *ctx.Task
	open int // calls whose deferred call has not run
}

var errWalk = errors.New("walk")

// walk returns the sum of what it called, or panics with errWalk, or exits. What
// refers to locals of its caller must find them unchanged.
func (w *walker) walk(depth int, above *[]int) (sum int) {
	w.open++
	defer func() { w.open-- }()
	local := []int{depth, len(*above)}
	for range w.IntN(4) {
		switch w.IntN(8) {
		case 0, 1:
			w.task.Yield()
		case 2, 3, 4:
			if depth == 0 {
				continue
			}
			need := []int{100, 4 << 10, all, 2 * all, 4 * all}[w.IntN(5)]
			if err := guard.Grow(need, func() { sum += w.walk(depth-1, &local) }); err != nil {
				panic(err)
			}
		case 5:
			if depth > 0 {
				sum += w.caught(depth, &local)
			}
		case 6:
			if w.IntN(10) == 0 {
				panic(errWalk)
			}
		case 7:
			switch w.IntN(100) {
			case 0:
				runtime.GC()
			case 1:
				runtime.Goexit()
			}
		}
		if local[0] != depth || local[1] != len(*above) || ctx.Current() != w.task {
			panic(fmt.Sprint("BUG: ", local, depth, ctx.Current()))
		}
	}
	return sum + 1
}

func (w *walker) caught(depth int, local *[]int) (sum int) {
	defer func() {
		if v := recover(); v != nil && v != errWalk {
			panic(v)
		}
	}()
	grow(func() { sum = w.walk(depth-1, local) })
	return sum
}

// Tasks on several threads hop, nested, suspend there, panic, exit, and are
// cancelled, each resumed by whoever comes.
func TestHopStorm(t *testing.T) {
	rounds := 300
	if testing.Short() {
		rounds = 30
	}
	stop := make(chan struct{})
	var gc, all sync.WaitGroup
	gc.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				runtime.GC()
			}
		}
	})
	for i := range 4 {
		all.Go(func() {
			r := rand.New(rand.NewPCG(uint64(i), 7))
			for range rounds {
				w := &walker{Rand: r}
				task := spawn(t, guard.Policy(r.IntN(2)), func(task *ctx.Task) {
					w.task = task
					for range 10 {
						w.walk(12, &[]int{})
					}
				})
				for n := r.IntN(200); !task.Done(); n-- {
					if n == 0 {
						if task.Cancel(errWalk) != nil || !task.Done() {
							t.Error("not cancelled")
						}
						break
					}
					done := make(chan error)
					go func() { done <- task.Resume() }()
					if err := <-done; err != nil {
						t.Error(err)
					}
				}
				var pe *ctx.PanicError
				if err := task.Err(); errors.As(err, &pe) && pe.Value != errWalk {
					t.Error(pe)
				}
				if w.open != 0 {
					t.Errorf("%d deferred calls did not run", w.open)
				}
			}
		})
	}
	all.Wait()
	close(stop)
	gc.Wait()
	require.Zero(t, guard.AuxInUse())
}
