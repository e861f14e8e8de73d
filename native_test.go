//go:build linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28

package stackhop

import (
	"iter"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func needAsm(tb testing.TB) {
	if backend().name != asmName {
		tb.Skip("the portable backend serves: its bodies have goroutines of their own")
	}
}

func TestNativeGoexitKeepsTheGoroutine(t *testing.T) {
	needAsm(t)
	c, err := New(Region{}, nil)
	require.NoError(t, err)
	g := c.g
	for i := range 1000 {
		var log []int
		require.NoError(t, c.Reset(func(c *Coro) {
			require.Same(t, c, Current())
			defer func() { log = append(log, 2); require.Same(t, c, Current()) }()
			defer func() {
				defer func() { log = append(log, 1); _ = recover() }()
				if i%2 == 0 {
					panic("during a Goexit, and recovered")
				}
			}()
			deep(i % 300) // the stack grows, and shrinks at a collection
			c.Switch()
			deep(i * 7 % 500)
			runtime.Goexit()
		}))
		c.Switch()
		if i%50 == 0 {
			runtime.GC()
		}
		c.Switch()
		require.Equal(t, []int{1, 2}, log)
		require.True(t, c.Done())
		require.True(t, c.Goexited())
		require.Equal(t, g, c.g, "the same goroutine serves")
		require.Nil(t, Current())
	}
	require.NoError(t, c.Reset(func(c *Coro) { c.Switch() }))
	c.Switch()
	c.Switch()
	require.False(t, c.Goexited())
	require.NoError(t, c.Close())
	require.EqualValues(t, notEnterable, c.g)
}

// A panic that a Goexit has overtaken leaves state behind. The next body must not find
// it.
func TestNativeGoexitInADeferredCallOfAPanic(t *testing.T) {
	needAsm(t)
	c, err := New(Region{}, nil)
	require.NoError(t, err)
	for range 100 {
		require.NoError(t, c.Reset(func(c *Coro) {
			defer runtime.Goexit()
			deep(40)
			panic("overtaken")
		}))
		c.Switch()
		require.True(t, c.Goexited())
		require.NoError(t, c.Reset(func(c *Coro) {
			require.Nil(t, recover())
			require.Zero(t, peek64(getg()+gPanic))
			require.Zero(t, peek64(getg()+gDefer))
			func() {
				defer func() { require.Equal(t, "own", recover()) }()
				panic("own")
			}()
		}))
		c.Switch()
		require.False(t, c.Goexited())
	}
	require.NoError(t, c.Close())
}

func TestNativeGoexitAllocatesNothing(t *testing.T) {
	needAsm(t)
	c, err := New(Region{}, nil)
	require.NoError(t, err)
	body := func(c *Coro) { runtime.Goexit() }
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		if c.Reset(body) != nil {
			panic("refused")
		}
		c.Switch()
	}))
	require.NoError(t, c.Close())
}

// An iter.Pull within a body uses what the runtime keeps in g for a switch, and an
// iterator's goroutine may have the memory of a body's stack: neither confuses
// Current.
func TestCurrentAmongIterators(t *testing.T) {
	needAsm(t)
	for i := range 2000 {
		c, err := New(Region{}, func(c *Coro) {
			require.Same(t, c, Current())
			deep(i % 100)
			next, stop := iter.Pull(func(yield func(int) bool) {
				require.Nil(t, Current())
				yield(1)
				require.Nil(t, Current())
			})
			next()
			require.Same(t, c, Current())
			inner, err := New(Region{}, func(in *Coro) {
				require.Same(t, in, Current())
				in.Switch()
				next()
				require.Same(t, in, Current())
			})
			require.NoError(t, err)
			inner.Switch()
			require.Same(t, c, Current())
			inner.Switch()
			stop()
			require.Same(t, c, Current())
		})
		require.NoError(t, err)
		c.Switch()
		require.True(t, c.Done())
		next, stop := iter.Pull(func(yield func(int) bool) { // on the memory of what ended, mostly
			require.Nil(t, Current())
			yield(1)
		})
		next()
		stop()
		if i%100 == 0 {
			runtime.GC()
		}
	}
}

// Bodies that end in every way, on stacks that move, while the collector marks and
// all stacks are dumped.
func TestNativeGoexitUnderObservers(t *testing.T) {
	needAsm(t)
	defer debug.SetGCPercent(debug.SetGCPercent(5))
	duration := 2 * time.Second
	if testing.Short() {
		duration = 300 * time.Millisecond
	}
	var stop atomic.Bool
	var ended atomic.Int64
	var wg sync.WaitGroup
	wg.Go(func() {
		buf := make([]byte, 1<<16)
		for !stop.Load() {
			runtime.GC()
			runtime.Stack(buf, true)
		}
	})
	for range 3 {
		wg.Go(func() {
			c, err := New(Region{}, nil)
			if err != nil {
				panic(err)
			}
			for i := 0; !stop.Load(); i++ {
				if err := c.Reset(func(c *Coro) {
					kept := new([64]int)
					kept[i%64] = i
					defer func() {
						if kept[i%64] != i || Current() != c {
							panic("lost")
						}
						ended.Add(1)
					}()
					deep(i * 13 % 700)
					c.Switch()
					deep(i * 17 % 900)
					if i%3 != 0 {
						runtime.Goexit()
					}
				}); err != nil {
					panic(err)
				}
				c.Switch()
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
	require.Positive(t, ended.Load())
}

func BenchmarkCurrentOnEachStack(b *testing.B) {
	for _, on := range []struct {
		name string
		r    func(testing.TB) Region
	}{
		{"mapped", func(tb testing.TB) Region { return testRegion(tb, 16<<10) }},
		{"native", func(testing.TB) Region { return Region{} }},
	} {
		b.Run(on.name, func(b *testing.B) {
			c, err := New(on.r(b), func(c *Coro) {
				for b.Loop() {
					if Current() != c {
						b.Fatal("another")
					}
				}
			})
			require.NoError(b, err)
			for !c.Done() {
				c.Switch()
			}
		})
	}
	b.Run("none", func(b *testing.B) {
		for b.Loop() {
			if Current() != nil {
				b.Fatal("another")
			}
		}
	})
}
