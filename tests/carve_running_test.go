package tests

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"testing"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/internal/testsupport"
	"github.com/stackhop/stackhop/mmapstack"
	"github.com/stretchr/testify/require"
)

// A body carves from the stack it runs on, the body there carves again, and so
// on three deep. Each suspends, goes deep, and keeps heap data, while everybody
// looks.
func TestCarveFromARunningStackThreeDeep(t *testing.T) {
	s := stackOrSkip(mmapstack.New(256 << 10))(t)
	before := s.Region()
	const frame = 16*8 + 64 // of overflow, in bytes, generously
	var nest func(s *mmapstack.Stack, level int) func(*stackhop.Coro)
	ended := 0
	nest = func(s *mmapstack.Stack, level int) func(*stackhop.Coro) {
		return func(c *stackhop.Coro) {
			kept := map[int]*[8]int{}
			for i := range 20 {
				kept[i] = &[8]int{level, i}
			}
			deepEnough := func() {
				r := s.Region()
				if asm() {
					overflow((int(r.Top-r.Lo) - 8192) / frame)
				}
				for i := range 20 {
					require.Equal(t, [8]int{level, i}, *kept[i])
				}
			}
			deepEnough()
			if level < 3 {
				r := s.Region()
				k, err := s.CarveFor(c, s.Size()/3)
				require.NoError(t, err)
				inner, err := stackhop.New(k.Region(), nest(k, level+1))
				require.NoError(t, err)
				for !inner.Done() {
					inner.Switch()
					deepEnough()
					look()
					c.Switch()
				}
				require.NoError(t, k.Close())
				require.Equal(t, r, s.Region())
			}
			c.Switch()
			deepEnough()
			ended++
		}
	}
	observers := map[string]func() (stop func()){
		"collector": func() func() { return func() {} },
		"tracer": func() func() {
			if trace.IsEnabled() || trace.Start(io.Discard) != nil {
				t.Skip("the test binary is being traced already")
			}
			return trace.Stop
		},
		"profiler": func() func() {
			if pprof.StartCPUProfile(io.Discard) != nil {
				t.Skip("the test binary is being profiled already")
			}
			return pprof.StopCPUProfile
		},
	}
	for name, start := range observers {
		t.Run(name, func(t *testing.T) {
			ended = 0
			c, err := stackhop.New(before, nest(s, 1))
			require.NoError(t, err)
			stop := start()
			defer stop()
			for !c.Done() {
				c.Switch()
				runtime.GC()
				var profile bytes.Buffer
				require.NoError(t, pprof.Lookup("goroutine").WriteTo(&profile, 1))
				if asm() {
					require.Contains(t, profile.String(), "TestCarveFromARunningStackThreeDeep")
				}
			}
			require.Equal(t, 3, ended)
			require.Equal(t, before, s.Region())
		})
	}
	require.NoError(t, s.Close())
}

// The prologue's check is the only guard of a stack that was carved from, and
// of what was carved: running off the end of either is the runtime's fatal
// error, and the neighbour below is not touched first.
func TestOverflowBesideCarvedStacksIsAFatalError(t *testing.T) {
	for _, kind := range []string{"parent", "parent large frames", "carved", "carved later"} {
		t.Run(kind, func(t *testing.T) {
			needAsm(t)
			r := testsupport.RunChild(t, "overflow-carved", childLimit, "STACKHOP_KIND="+kind)
			require.Equal(t, 2, r.Code, testsupport.Tail(r.Stderr))
			require.Contains(t, r.Stdout, "carved")
			require.NotContains(t, r.Stdout, "survived")
			require.NotContains(t, r.Stderr, "unexpected signal", testsupport.Tail(r.Stderr))
			require.Contains(t, r.Stderr, "fatal error:")
			require.Regexp(t, `(?i)stackhop\.[^\n]*coroutine\w*stack`, r.Stderr, "the base routine's name in the trace")
		})
	}
}

var _ = testsupport.Child("overflow-carved", func() {
	s, err := pool().Get()
	if err != nil {
		panic(err)
	}
	c, err := stackhop.New(s.Region(), func(c *stackhop.Coro) {
		k, err := s.CarveFor(c, 16<<10)
		if err != nil {
			panic(err)
		}
		fmt.Println("carved")
		inner, err := stackhop.New(k.Region(), func(n *stackhop.Coro) {
			n.Switch()
			if childKind() == "carved" {
				overflow(1 << 30)
			}
			n.Switch()
			overflow(1 << 30)
		})
		if err != nil {
			panic(err)
		}
		inner.Switch()
		switch childKind() {
		case "parent":
			overflow(1 << 30)
		case "parent large frames":
			largeFrames(1 << 30)
		case "carved later":
			c.Switch()
			runtime.GC()
			inner.Switch()
		}
		inner.Switch()
	})
	if err != nil {
		panic(err)
	}
	for !c.Done() {
		c.Switch()
	}
	fmt.Println("survived")
})

// What was carved away is out of reach of the deepest frames: a parent with as
// much of its stack in use as fits leaves the carved memory as it was.
func TestDeepFramesStopAboveTheCarvedStack(t *testing.T) {
	needAsm(t)
	s := stackOrSkip(mmapstack.New(64 << 10))(t)
	const frame = 16*8 + 64
	c, err := stackhop.New(s.Region(), func(c *stackhop.Coro) {
		k, err := s.CarveFor(c, 24<<10)
		require.NoError(t, err)
		var sum, want int
		inner, err := stackhop.New(k.Region(), func(n *stackhop.Coro) {
			var page [1024]int
			for i := range page {
				page[i] = i
				want += i
			}
			n.Switch()
			for _, v := range page {
				sum += v
			}
		})
		require.NoError(t, err)
		inner.Switch()
		r := s.Region()
		overflow((int(r.Top-r.Lo) - 4096) / frame)
		inner.Switch()
		require.Equal(t, want, sum)
		require.NoError(t, k.Close())
	})
	require.NoError(t, err)
	c.Switch()
	require.True(t, c.Done())
	require.NoError(t, s.Close())
}
