//go:build linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28

package stackhop

import (
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// bounds answers the running body's g.stack.lo, .hi and .stackguard0.
func bounds(c *Coro) [3]uintptr {
	return [3]uintptr{peek64(c.g + gStackLo), peek64(c.g + gStackHi), peek64(c.g + gStackguard0)}
}

// requireBounds wants the window [lo, hi) with the guard that belongs to it, or
// a request for preemption instead of that.
func requireBounds(t *testing.T, lo, hi uintptr, got [3]uintptr, why string) {
	t.Helper()
	require.Equal(t, [2]uintptr{lo, hi}, [2]uintptr{got[0], got[1]}, why)
	if got[2] < 1<<60 {
		require.Equal(t, lo+stackGuard, got[2], why)
	}
}

func TestResizeHoldsThroughEveryKindOfSwitch(t *testing.T) {
	r := testRegion(t, 64<<10)
	var inside [3]uintptr
	var refused error
	stop, last := finishing(t)
	to := r.Lo
	c, err := New(r, func(c *Coro) {
		for !*stop {
			refused = c.Resize(to)
			c.Switch()
			inside = bounds(c)
			c.Switch()
		}
	})
	require.NoError(t, err)
	last(c)
	for _, up := range []uintptr{16 << 10, 0, 32<<10 + 16, 4 << 10, 0} {
		to = r.Lo + up
		c.Switch()
		require.NoError(t, refused)
		requireNarrow(t, c, to, r.Hi, func() { c.Switch(); c.Switch() }, "suspended, the window is what is in use")
		runtime.GC()
		c.Switch()
		requireBounds(t, to, r.Hi, inside, "fast, after a scan")
		c.Switch()
		looked(t, func() { c.Switch() })
		requireBounds(t, to, r.Hi, inside, "slow")
	}
}

// The guard word may hold a request for preemption that another thread has just
// put there: it must stay.
func TestResizeKeepsAPreemptionRequest(t *testing.T) {
	const stackPreempt = ^uintptr(0) - 1313 // runtime.stackPreempt
	r := testRegion(t, 64<<10)
	var after, later [3]uintptr
	c, err := New(r, func(c *Coro) {
		poke64(c.g+gStackguard0, stackPreempt)
		moveWindow(c, r.Lo+8192) // no call in between looks at the request
		after = [3]uintptr{peek64(c.g + gStackLo), peek64(c.g + gStackHi), peek64(c.g + gStackguard0)}
		deep(3)
		later = bounds(c)
		require.NoError(t, c.Resize(r.Lo))
	})
	require.NoError(t, err)
	c.Switch()
	require.Equal(t, [3]uintptr{r.Lo + 8192, r.Hi, stackPreempt}, after)
	requireBounds(t, r.Lo+8192, r.Hi, later, "when it was served")
}

func TestResizeAfterGoexitStays(t *testing.T) {
	r := testRegion(t, 64<<10)
	c, err := New(r, nil)
	require.NoError(t, err)
	require.NoError(t, c.Reset(func(c *Coro) {
		require.NoError(t, c.Resize(r.Lo+16<<10))
		runtime.Goexit()
	}))
	c.Switch()
	require.True(t, c.Goexited())
	var got [3]uintptr
	require.NoError(t, c.Reset(func(c *Coro) {
		got = bounds(c)
		require.NoError(t, c.Resize(r.Lo))
	}))
	c.Switch()
	requireBounds(t, r.Lo+16<<10, r.Hi, got, "the next body")
	require.NoError(t, c.Close())
}

// Windows go up and down, with as many frames below as fit, while the collector
// marks, asks for preemption and scans on other threads.
func TestResizeUnderTheCollector(t *testing.T) {
	regions := []Region{testRegion(t, 128<<10), testRegion(t, 128<<10), testRegion(t, 128<<10)}
	defer debug.SetGCPercent(debug.SetGCPercent(5))
	duration := 2 * time.Second
	if testing.Short() {
		duration = 300 * time.Millisecond
	}
	var stop atomic.Bool
	var cycles, moves atomic.Int64
	var wg sync.WaitGroup
	wg.Go(func() {
		for !stop.Load() {
			runtime.GC()
			cycles.Add(1)
		}
	})
	const frame = 32*8 + 80 // of deep, in bytes, generously
	for _, r := range regions {
		wg.Go(func() {
			c, err := New(r, func(c *Coro) {
				for i := uintptr(0); !stop.Load(); i++ {
					kept := new([64]uintptr)
					kept[i%64] = i
					up := i * 4112 % (112 << 10) &^ 15
					if w := r.Hi - r.Lo - up; w&(w-1) == 0 {
						up += 16
					}
					if err := c.Resize(r.Lo + up); err != nil {
						panic(err)
					}
					moves.Add(1)
					if i%2 == 0 {
						c.Switch()
					}
					n := int(128<<10-up-2*ResizeReserve) / frame
					if deep(n) != n || kept[i%64] != i {
						panic("wrong sum")
					}
				}
				if err := c.Resize(r.Lo); err != nil {
					panic(err)
				}
			})
			if err != nil {
				t.Error(err)
				return
			}
			for !c.Done() {
				c.Switch()
			}
		})
	}
	time.Sleep(duration)
	stop.Store(true)
	wg.Wait()
	require.Positive(t, cycles.Load())
	require.Positive(t, moves.Load())
}

func TestRoamingLeavesNoTraceOnItsRegion(t *testing.T) {
	a, b := testRegion(t, 64<<10), testRegion(t, 32<<10)
	c := NewRoaming()
	for i := range 100 {
		r := a
		if i%3 == 0 {
			r = b
		}
		var got [3]uintptr
		require.NoError(t, c.ResetOn(r, func(c *Coro) {
			got = bounds(c)
			deep(50)
			c.Switch()
			if i%5 == 0 {
				runtime.Goexit()
			}
			deep(50)
		}))
		c.Switch()
		requireBounds(t, r.Lo, r.Hi, got, "inside")
		if i%4 == 0 {
			runtime.GC()
		}
		c.Switch()
		require.True(t, c.Done())
		require.Equal(t, i%5 == 0, c.Goexited())
		lo, hi, sp, _ := window(c)
		require.True(t, lo < sp && sp < hi && (hi <= r.Lo || r.Hi <= lo), "parked on its own stack")
		scribble(r)
		runtime.GC() // scans that, and may shrink it
	}
	require.NoError(t, c.Close())
	require.ErrorIs(t, c.ResetOn(a, func(*Coro) {}), ErrClosed)
}

// A dropped body's region is free at once, and the coroutine as good as new.
func TestDropLeavesNoTraceOnTheRegion(t *testing.T) {
	a, b := testRegion(t, 64<<10), testRegion(t, 32<<10)
	c := NewRoaming()
	var ended int
	for i := range 300 {
		r, ends := a, i%3 == 0
		if i%2 == 0 {
			r = b
		}
		var got [3]uintptr
		require.NoError(t, c.ResetOn(r, func(c *Coro) {
			got = bounds(c)
			deep(50)
			c.Switch()
			deep(50)
			if !ends {
				c.Switch()
				t.Error("goes on after Drop")
			}
			ended++
			if i%2 == 0 {
				runtime.Goexit()
			}
		}))
		enter := func(slow bool) {
			if slow {
				looked(t, func() { c.Switch() }) // by the runtime's own switch, there and back
			} else {
				c.Switch()
			}
		}
		enter(i%11 == 0)
		requireBounds(t, r.Lo, r.Hi, got, "inside")
		enter(i%7 == 0)
		for !ends && !c.Drop() {
			runtime.Gosched() // the collector marks
		}
		require.True(t, c.Done())
		lo, hi, sp, _ := window(c)
		require.True(t, lo < sp && sp < hi && (hi <= r.Lo || r.Hi <= lo), "parked on its own stack")
		scribble(r)
		if i%5 == 0 {
			runtime.GC() // scans that, and may shrink it
		}
	}
	require.Equal(t, 100, ended)
	require.NoError(t, c.ResetOn(a, func(c *Coro) { c.Switch() }))
	c.Switch()
	for !c.Drop() {
		runtime.Gosched()
	}
	require.NoError(t, c.Close(), "right after Drop")
}

// While the collector marks, or a trace is taken, nobody but who looks touches a
// parked goroutine.
func TestDropUnderTheCollectorAndATrace(t *testing.T) {
	duration := 2 * time.Second
	if testing.Short() {
		duration = 300 * time.Millisecond
	}
	var stop atomic.Bool
	var dropped, refused atomic.Int64
	var wg sync.WaitGroup
	wg.Go(func() {
		for !stop.Load() {
			runtime.GC()
		}
	})
	for _, r := range []Region{testRegion(t, 64<<10), testRegion(t, 64<<10)} {
		wg.Go(func() {
			c := NewRoaming()
			for !stop.Load() {
				last := false
				if err := c.ResetOn(r, func(c *Coro) {
					for kept := new([64]uintptr); !last; kept[0]++ {
						deep(20)
						c.Switch()
					}
				}); err != nil {
					panic(err)
				}
				c.Switch()
				c.Switch()
				if c.Drop() {
					dropped.Add(1)
					scribble(r)
					continue
				}
				refused.Add(1)
				last = true
				c.Switch()
			}
			if err := c.Close(); err != nil {
				panic(err)
			}
		})
	}
	time.Sleep(duration)
	stop.Store(true)
	wg.Wait()
	require.Positive(t, dropped.Load())
	require.Positive(t, refused.Load())

	c := NewRoaming()
	require.NoError(t, c.ResetOn(testRegion(t, 64<<10), func(c *Coro) { c.Switch() }))
	c.Switch()
	looked(t, func() { require.False(t, c.Drop()) })
	require.False(t, c.Done())
	c.Switch()
	require.True(t, c.Done())
	require.NoError(t, c.Close())
}

// scribble overwrites all of r.
func scribble(r Region) {
	for p := r.Lo; p < r.Top; p += 8 {
		poke64(p, 0xdead)
	}
}
