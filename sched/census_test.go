package sched

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/internal/testsupport"
)

// rounds divides counts of rounds for builds and machines that are slow.
func rounds(n int) int {
	if testing.Short() || stackhop.Backend().Name == "portable" {
		n /= 16
	}
	return max(testsupport.Scale(n), 1)
}

// Whoever is counted, wherever and however its count moves, is seen; and when
// all have left, all is 0 (C2, C3).
func TestACensusMissesNobody(t *testing.T) {
	var c census
	c.init()
	var at [3]count // few, so that they leave 0 and come back to it all the time
	seed := uint64(time.Now().UnixNano())
	t.Log("seed", seed)
	var all sync.WaitGroup
	for g := range uint64(4) {
		all.Go(func() {
			rnd := rand.New(rand.NewPCG(seed, g))
			for range rounds(300_000) {
				n, here := 1+rnd.Int64N(2), &at[rnd.IntN(3)]
				c.add(here, n)
				for range rnd.IntN(3) {
					there := &at[rnd.IntN(3)]
					if c.busy.Load() <= 0 {
						t.Error("nobody is counted")
						return
					}
					c.move(here, there, n)
					here = there
				}
				if c.busy.Load() <= 0 {
					t.Error("nobody is counted")
					return
				}
				c.leave(here, n)
			}
		})
	}
	all.Wait()
	require.Zero(t, c.busy.Load())
	for i := range at {
		require.Zero(t, at[i].n.Load())
	}
}

// One who is only moved is seen at every moment (C1).
func TestACensusSeesWhoMoves(t *testing.T) {
	var c census
	c.init()
	var at [2]count
	c.add(&at[0], 1)
	var stop atomic.Bool
	var watcher sync.WaitGroup
	watcher.Go(func() {
		for !stop.Load() {
			if c.busy.Load() <= 0 {
				t.Error("nobody is counted")
				return
			}
		}
	})
	for i := range 2 * rounds(1_000_000) {
		c.move(&at[i%2], &at[1-i%2], 1)
	}
	stop.Store(true)
	watcher.Wait()
	c.leave(&at[0], 1)
	require.Zero(t, c.busy.Load())
}

// The last to leave wakes who waits, and nobody else does (C3, C4).
func TestWaitersOfACensus(t *testing.T) {
	var c census
	c.init()
	var at [2]count
	for range rounds(20_000) {
		var left atomic.Int32
		for range 4 {
			c.add(&at[0], 1)
		}
		var all sync.WaitGroup
		for i := range 4 {
			all.Go(func() {
				if i%2 == 1 {
					c.move(&at[0], &at[1], 1)
				}
				left.Add(1)
				c.leave(&at[i%2], 1)
			})
		}
		for range 2 {
			all.Go(func() {
				c.wait()
				if n := left.Load(); n != 4 {
					t.Errorf("%d of 4 have left", n)
				}
			})
		}
		all.Wait()
	}
	require.Zero(t, c.waiters.Load())
}

// After any end the counts of a Pool's queues are 0, each by itself: whoever
// took a start over has counted it, and where it ended was it counted out (C1).
func TestCountsOfAPoolAreZeroInTheEnd(t *testing.T) {
	for range rounds(300) {
		p, err := NewPool(3)
		require.NoError(t, err)
		var grow func(depth int) func(*ctx.Task)
		grow = func(depth int) func(*ctx.Task) {
			return func(task *ctx.Task) {
				for range 3 {
					if depth > 0 {
						_ = p.Go(grow(depth - 1))
						_ = p.Yield(task)
					}
				}
				if depth == 1 {
					_ = task.Cancel(nil)
				}
			}
		}
		for range 3 {
			require.NoError(t, p.Go(grow(4)))
			require.NoError(t, p.Go(func(*ctx.Task) {}, ctx.WithStackSize(-1)), "cannot begin")
		}
		require.Error(t, p.Wait())
		for _, q := range p.queues() {
			require.Zero(t, q.count.n.Load())
		}
		require.Zero(t, p.Stats().Tasks)
		require.NoError(t, p.Close())
		require.ErrorIs(t, p.Go(grow(0)), ErrClosed)
		require.Zero(t, p.Stats().Tasks)
	}
}
