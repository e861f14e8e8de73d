package tests

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/internal/testsupport"
	"github.com/stackhop/stackhop/mmapstack"
	"github.com/stretchr/testify/require"
)

// The collector does not see the native frames while the body runs elsewhere:
// what a body closes over must be held by something else as well.
func TestH20WhatTheNativeFramesHold(t *testing.T) {
	testsupport.RunChild(t, "native-frames", childLimit, "GODEBUG=clobberfree=1").RequireOK(t)
}

var _ = testsupport.Child("native-frames", func() {
	for range 20 {
		c, want := closesOver()
		for range 3 {
			c.Switch()
			runtime.GC()
			_ = make([]byte, 1<<12)
			runtime.GC()
		}
		if c.Switch(); !c.Done() || *want != 3*64 {
			panic(fmt.Sprintf("%d, want %d", *want, 3*64))
		}
	}
	fmt.Println("ok")
})

//go:noinline
func closesOver() (*stackhop.Coro, *int) {
	sum := new(int)
	words := new([64]int)
	for i := range words {
		words[i] = 1
	}
	c, err := stackhop.New(childRegion(), func(c *stackhop.Coro) {
		for range 3 {
			c.Switch()
			for _, w := range words {
				*sum += w
			}
		}
	})
	if err != nil {
		panic(err)
	}
	return c, sum
}

// A body suspends while panics and deferred calls are under way, is looked at,
// and leaves with nothing of them behind: the same memory serves again.
func TestH21PanicsStayOnTheirStack(t *testing.T) {
	eachStorage(t, func(t *testing.T, st storage) {
		region, free := st.get(t)
		defer free()
		c, err := stackhop.New(region, nil)
		require.NoError(t, err)
		for range 10 {
			var got []any
			require.NoError(t, c.Reset(func(c *stackhop.Coro) {
				defer func() { c.Switch(); got = append(got, recover()) }()
				defer func() {
					defer func() { c.Switch(); got = append(got, recover()) }()
					panic("second")
				}()
				defer c.Switch()
				panic("first")
			}))
			require.Equal(t, 3, drain(func() bool { c.Switch(); return c.Done() }, func() {
				look()
				func() { // a panic of the owner, while one of the body is under way
					defer func() { require.Equal(t, "owner", recover()) }()
					panic("owner")
				}()
			}))
			require.Equal(t, []any{"second", "first"}, got)
			require.False(t, c.Goexited())
		}
		require.NoError(t, c.Close())
	})
}

// Goexit ends the body only, runs its deferred calls, and cannot be recovered.
func TestH22GoexitOnAForeignStack(t *testing.T) {
	eachStorage(t, func(t *testing.T, st storage) {
		region, free := st.get(t)
		defer free()
		c, err := stackhop.New(region, nil)
		require.NoError(t, err)
		for i := range 20 {
			var order []string
			require.NoError(t, c.Reset(func(c *stackhop.Coro) {
				defer func() { order = append(order, "outer") }()
				defer func() { c.Switch(); order = append(order, fmt.Sprint(recover())) }()
				if i%2 == 0 {
					c.Switch()
				}
				func() {
					defer func() { order = append(order, "inner") }()
					runtime.Goexit()
				}()
			}))
			drain(func() bool { c.Switch(); return c.Done() }, look)
			require.Equal(t, []string{"inner", "<nil>", "outer"}, order)
			require.True(t, c.Goexited())
		}
		require.NoError(t, c.Reset(func(c *stackhop.Coro) { c.Switch() }))
		require.Equal(t, 1, drain(func() bool { c.Switch(); return c.Done() }, look))
		require.False(t, c.Goexited())
		require.NoError(t, c.Close())
	})
}

// A panic that ends as a Goexit, and a Goexit that ends as a recovered panic.
func TestH22GoexitAndPanics(t *testing.T) {
	eachStorage(t, func(t *testing.T, st storage) {
		for _, tt := range []struct {
			name     string
			body     func(c *stackhop.Coro)
			goexited bool
		}{
			{"Goexit in a deferred call of a panic", func(c *stackhop.Coro) {
				defer func() { c.Switch(); runtime.Goexit() }()
				panic("gone")
			}, true},
			{"recovered panic in a deferred call of Goexit", func(c *stackhop.Coro) {
				defer func() {
					defer func() { _ = recover() }()
					c.Switch()
					panic("gone")
				}()
				runtime.Goexit()
			}, true},
			{"Goexit twice", func(c *stackhop.Coro) {
				defer func() { c.Switch(); runtime.Goexit() }()
				runtime.Goexit()
			}, true},
			{"recovered, panicked again, recovered", func(c *stackhop.Coro) {
				defer func() { c.Switch(); _ = recover() }()
				defer func() { panic(recover()) }()
				panic("again")
			}, false},
		} {
			t.Run(tt.name, func(t *testing.T) {
				c := st.coro(t, tt.body)
				drain(func() bool { c.Switch(); return c.Done() }, look)
				require.Equal(t, tt.goexited, c.Goexited())
			})
		}
	})
}

// testing.T.FailNow and SkipNow are Goexit.
func TestH22SkipNowOnATask(t *testing.T) {
	ended := false
	t.Run("skips itself", func(t *testing.T) {
		c := mapped.coro(t, func(*stackhop.Coro) {
			defer func() { ended = true }()
			t.SkipNow()
		})
		c.Switch()
		require.True(t, c.Goexited())
	})
	require.True(t, ended)
}

// The base routine takes no pointers as arguments, and stktopsp is its SP: the
// collector and precise tracebacks find nothing odd, from every depth.
func TestH23AndH24BaseFrame(t *testing.T) {
	eachStorage(t, func(t *testing.T, st storage) {
		var text string
		var frames []string
		c := st.coro(t, func(c *stackhop.Coro) {
			c.Switch() // with the base and the body alone
			for depth := range 40 {
				rooted(c, depth)
			}
			text = string(debug.Stack())
			var pcs [64]uintptr
			it := runtime.CallersFrames(pcs[:runtime.Callers(0, pcs[:])])
			for more := true; more; {
				var f runtime.Frame
				f, more = it.Next()
				frames = append(frames, f.Function)
			}
		})
		n := 0
		drain(func() bool { c.Switch(); return c.Done() }, func() {
			if n++; n%8 == 1 {
				look()
			}
		})
		require.Contains(t, text, "TestH23AndH24BaseFrame")
		require.Contains(t, strings.Join(frames, "\n"), "TestH23AndH24BaseFrame")
		// The body has no callers but the kernel, the tests' runner last of all.
		require.NotContains(t, strings.Join(frames, "\n"), "testing.tRunner")
		last := frames[len(frames)-1]
		require.True(t, strings.Contains(last, "stackhop") || strings.HasPrefix(last, "runtime."), "outermost frame %s", last)
	})
}

// The collector shrinks stacks that are mostly unused: not these.
func TestH25StackStaysInItsMemory(t *testing.T) {
	needAsm(t)
	for _, size := range []int{8 << 10, 64 << 10, 1 << 20} {
		s := stackOrSkip(mmapstack.New(size))(t)
		r := s.Region()
		within := func(addr uintptr) bool { return r.Lo <= addr && addr < r.Top }
		where := make([]uintptr, 0, 16)
		c, err := stackhop.New(r, func(c *stackhop.Coro) {
			for range 8 {
				var local [32]byte
				where = append(where, addressOf(&local))
				c.Switch()
				runtime.GC() // also while it runs
				where = append(where, addressOf(&local))
			}
		})
		require.NoError(t, err)
		drain(func() bool { c.Switch(); return c.Done() }, func() { runtime.GC(); runtime.GC() })
		require.Len(t, where, 16)
		for _, addr := range where {
			require.True(t, within(addr), "a local at %#x, the stack is [%#x,%#x)", addr, r.Lo, r.Top)
			require.Equal(t, where[0], addr)
		}
		require.NoError(t, s.Close())
	}
}

// Running off the end is the runtime's clean fatal error, never silent, and
// its trace names a coroutine stack.
func TestH26OverflowIsAFatalError(t *testing.T) {
	for _, kind := range []string{"go", "fmt", "large-frame", "after-suspension"} {
		t.Run(kind, func(t *testing.T) {
			needAsm(t)
			r := testsupport.RunChild(t, "overflow", childLimit, "STACKHOP_KIND="+kind)
			require.Equal(t, 2, r.Code, testsupport.Tail(r.Stderr))
			require.NotContains(t, r.Stdout, "survived")
			require.NotContains(t, r.Stderr, "unexpected signal", testsupport.Tail(r.Stderr))
			require.Contains(t, r.Stderr, "fatal error:")
			require.Regexp(t, `(?i)stackhop\.[^\n]*coroutine\w*stack`, r.Stderr, "the base routine's name in the trace")
		})
	}
}

var _ = testsupport.Child("overflow", func() {
	bodies := map[string]func(c *stackhop.Coro){
		"go":          func(*stackhop.Coro) { overflow(1 << 30) },
		"fmt":         func(*stackhop.Coro) { _ = fmt.Sprint(&endless{}) },
		"large-frame": func(*stackhop.Coro) { largeFrames(1 << 30) },
		"after-suspension": func(c *stackhop.Coro) {
			c.Switch()
			overflow(1 << 30)
		},
	}
	c, err := stackhop.New(childRegion(), bodies[childKind()])
	if err != nil {
		panic(err)
	}
	for !c.Done() {
		c.Switch()
		runtime.GC()
	}
	fmt.Println("survived")
})

type endless struct{ n int }

func (e *endless) String() string { return fmt.Sprintf("%d %v", e.n, &endless{e.n + 1}) }

//go:noinline
func overflow(n int) int {
	var frame [16]int
	frame[n%16] = n
	if n > 0 {
		n = overflow(n-1) + frame[(n+1)%16]
	}
	return n + frame[3]
}

//go:noinline
func largeFrames(n int) int {
	var frame [6000]int
	frame[n%6000] = n
	if n > 0 {
		n = largeFrames(n-1) + frame[(n+1)%6000]
	}
	return n
}

// Depth up to what the size promises is fine.
func TestH26DepthWithinTheSize(t *testing.T) {
	for _, size := range []int{32 << 10, 256 << 10, 4 << 20} {
		s := stackOrSkip(mmapstack.New(size))(t)
		const frame = 16*8 + 64 // of overflow, in bytes, generously
		got := 0
		c, err := stackhop.New(s.Region(), func(*stackhop.Coro) { got = overflow((size - 4096) / frame) })
		require.NoError(t, err)
		c.Switch()
		require.True(t, c.Done())
		require.Positive(t, got)
		require.NoError(t, s.Close())
	}
}

// Stack memory is never Go heap.
func TestH30HeapMemoryIsRefused(t *testing.T) {
	_, err := mmapstack.Static(make([]byte, 64<<10))
	if testsupport.NoChildren() != "" && err == nil {
		t.Skip("no static stacks here")
	}
	require.Error(t, err)
	require.True(t, isMemoryError(err), "%v", err)
}

// The owner's own stack may move while the body runs: it grows and shrinks.
func TestH34OwnersStackMoves(t *testing.T) {
	eachStorage(t, func(t *testing.T, st storage) {
		seen := 0
		c := st.coro(t, func(c *stackhop.Coro) {
			for range 20 {
				runtime.GC() // shrinks the owner's stack, which is mostly unused now
				seen++
				c.Switch()
			}
		})
		var wg sync.WaitGroup
		wg.Go(func() {
			for !c.Done() {
				if ownerWith(c, 500) != 500*501/2 {
					t.Error("the owner's frames are damaged")
				}
			}
		})
		wg.Wait()
		require.Equal(t, 20, seen)
	})
}

// ownerWith grows the stack, returns to the top, and switches from there.
func ownerWith(c *stackhop.Coro, depth int) int {
	local := depth
	p := &local
	got := sumDown(depth)
	if !c.Done() {
		c.Switch()
	}
	if *p != depth {
		return -1
	}
	return got
}

//go:noinline
func sumDown(n int) int {
	var frame [64]int
	frame[n%64] = n
	if n == 0 {
		return 0
	}
	return sumDown(n-1) + frame[n%64]
}
