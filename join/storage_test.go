package join_test

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/join"
	"github.com/stackhop/stackhop/mmapstack"
)

// within reports whether inner lies in what outer was before anything was carved.
func within(inner *mmapstack.Stack, lo, top uintptr) bool {
	r := inner.Region()
	return lo <= r.Lo && r.Hi <= top
}

// note is an arm that notes the stack it runs on, and waits.
func note(at **mmapstack.Stack, g *gate) body {
	return func(task *ctx.Task) error {
		*at = task.Stack()
		return g.wait(task)
	}
}

func TestArmsAreCarvedFromTheCallersStack(t *testing.T) {
	s := mapped(t, 256<<10)
	whole := s.Region()
	for name, wait := range combinators {
		t.Run(name, func(t *testing.T) {
			var at [2]*mmapstack.Stack
			var g gate
			p := spawn(t, func(*ctx.Task) {
				require.NoError(t, wait(8<<10, note(&at[0], &g), note(&at[1], &g)))
				require.Equal(t, whole, s.Region(), "given back")
			}, ctx.WithStack(s))
			for i, k := range at {
				require.Equal(t, mmapstack.Carved, k.Kind(), i)
				require.True(t, within(k, whole.Lo, whole.Top), i)
			}
			require.NotEqual(t, at[0], at[1])
			runtime.GC()
			for g.open() {
			}
			require.NoError(t, p.Wait()) // Recv's goroutine has to be stopped
		})
	}
}

func TestArmsThatEndAtOnceShareAStack(t *testing.T) {
	s := mapped(t, 64<<10)
	var at [20]*mmapstack.Stack
	var bodies []body
	for i := range at {
		bodies = append(bodies, func(task *ctx.Task) error { at[i] = task.Stack(); return nil })
	}
	ended(t, spawn(t, func(*ctx.Task) { require.NoError(t, join.Size(16<<10).All(bodies...)) }, ctx.WithStack(s)))
	for i := range at {
		require.Equal(t, mmapstack.Carved, at[i].Kind())
		require.Same(t, at[0], at[i])
	}
}

// As many arms as fit are carved, the others come from the pool.
func TestArmsFallBackToThePool(t *testing.T) {
	s := mapped(t, 64<<10)
	whole := s.Region()
	kinds := map[mmapstack.Kind]int{}
	var g gate
	arm := func(task *ctx.Task) error {
		if st := task.Stack(); st != nil { // nil: on the portable backend
			kinds[st.Kind()]++
		}
		return g.wait(task)
	}
	p := spawn(t, func(*ctx.Task) {
		require.NoError(t, join.Size(8<<10).All(arm, arm, arm, arm, arm, arm, arm, arm, arm, arm))
	}, ctx.WithStack(s))
	require.GreaterOrEqual(t, kinds[mmapstack.Carved], 4)
	if !portable() {
		require.Equal(t, 10-kinds[mmapstack.Carved], kinds[mmapstack.Pooled])
		require.Positive(t, kinds[mmapstack.Pooled])
	}
	for g.open() {
	}
	ended(t, p)
	require.Equal(t, whole, s.Region())
}

// Joins within joins, each on storage of the one around it.
func TestCarvedThreeDeep(t *testing.T) {
	s := mapped(t, 512<<10)
	whole := s.Region()
	var gates [8]gate
	var deepest *mmapstack.Stack
	var nest func(level, i int) body
	nest = func(level, i int) body {
		return func(task *ctx.Task) error {
			st := task.Stack()
			r := st.Region()
			local := [64]int{level, i}
			var err error
			if level == 0 {
				deepest = st
				err = gates[i].wait(task)
			} else {
				size := []join.Size{0, 8 << 10, 32 << 10, 128 << 10}[level]
				err = size.All(nest(level-1, 2*i), nest(level-1, 2*i+1))
			}
			require.Equal(t, r, st.Region())
			require.Equal(t, [64]int{level, i}, local)
			return err
		}
	}
	for _, order := range [][]int{{0, 1, 2, 3, 4, 5, 6, 7}, {7, 6, 5, 4, 3, 2, 1, 0}, {0, 7, 1, 6, 2, 5, 3, 4}} {
		p := spawn(t, func(task *ctx.Task) { require.NoError(t, nest(3, 0)(task)) }, ctx.WithStack(s))
		require.Equal(t, mmapstack.Carved, deepest.Kind())
		require.True(t, within(deepest, whole.Lo, whole.Top))
		for _, i := range order {
			runtime.GC()
			require.True(t, gates[i].open())
		}
		ended(t, p)
		require.Equal(t, whole, s.Region())
	}
	p := spawn(t, func(task *ctx.Task) { _ = nest(3, 0)(task) }, ctx.WithStack(s))
	require.NoError(t, p.Cancel(nil))
	require.Equal(t, whole, s.Region(), "given back by a cancel, too")
}

// Joins on several threads take carved stacks and the coroutines for them from each
// other, some of which are dropped, and some, while the collector marks, are not.
func TestCarvedOnSeveralThreads(t *testing.T) {
	rounds := 20000
	if testing.Short() {
		rounds = 1000
	}
	var stop atomic.Bool
	var collector, wg sync.WaitGroup
	collector.Go(func() {
		for !stop.Load() {
			runtime.GC()
		}
	})
	for n := range 4 {
		s := mapped(t, 256<<10)
		whole := s.Region()
		wg.Go(func() {
			var p place
			arms := 0
			ends := func(*ctx.Task) error {
				kept := new([32]int)
				kept[n] = 1
				arms += kept[n]
				return nil
			}
			waits := func(task *ctx.Task) error {
				kept := new([32]int)
				kept[n] = 1
				err := task.Park(&p)
				arms += kept[n]
				return err
			}
			task, err := ctx.Spawn(func(*ctx.Task) {
				for i := range rounds {
					var err error
					switch (i + n) % 4 {
					case 0:
						err = join.Size(8<<10).All(ends, ends, ends)
					case 1:
						err = join.Size(8<<10).All(ends, waits, ends)
					case 2:
						_, err = join.Size(8<<10).Any(waits, ends)
						arms += 2
					case 3:
						err = join.Size(48 << 10).All(func(*ctx.Task) error { return join.Size(8<<10).All(ends, waits, ends) })
					}
					if err != nil || s.Region() != whole {
						panic(fmt.Sprint(err, s.Region()))
					}
				}
			}, ctx.WithStack(s))
			for err == nil && !task.Done() {
				_ = p.h.Resume()
			}
			if err != nil || task.Err() != nil || arms != 3*rounds {
				t.Error(n, arms, err, task.Err())
			}
		})
	}
	wg.Wait()
	stop.Store(true)
	collector.Wait()
}

// The end of the innermost arm ends a thousand joins, one around the other, on
// the resumer's goroutine, whose stack is too small for nested calls of them.
func TestChainOfEndsNeedsNoStack(t *testing.T) {
	depth := 1000
	if testing.Short() {
		depth = 100
	}
	var g gate
	level := 0
	var nest body
	nest = func(task *ctx.Task) error {
		if level++; level == depth {
			return g.wait(task)
		}
		return join.All(nest)
	}
	p := spawn(t, func(*ctx.Task) { require.NoError(t, join.All(nest)) })
	resumer := spawn(t, func(*ctx.Task) { require.True(t, g.open()) }, ctx.WithStrictStack(16<<10))
	ended(t, resumer)
	ended(t, p)
}
