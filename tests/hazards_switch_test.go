package tests

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"runtime/trace"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/internal/testsupport"
	"github.com/stretchr/testify/require"
)

// pingPong has the owner switch n times there and back, and checks that each
// side saw what the other counted.
func pingPong(tb testing.TB, st storage, n int) {
	tb.Helper()
	var there int
	c := st.coro(tb, func(c *stackhop.Coro) {
		for there < n {
			there++
			c.Switch()
		}
	})
	for i := 1; i <= n; i++ {
		c.Switch()
		if there != i {
			tb.Fatalf("after %d round trips the body counts %d", i, there)
		}
	}
	c.Switch()
	require.True(tb, c.Done())
}

// while calls step on goroutines of its own, over and over, until do returns.
func while(do func(), steps ...func()) {
	var stop atomic.Bool
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop.Store(true)
	for _, step := range steps {
		wg.Go(func() {
			for !stop.Load() {
				step()
			}
		})
	}
	do()
}

// amid repeats do until each step has come to its end often enough, each over
// and over on a goroutine of its own.
func amid(rounds int, do func(), steps ...func()) {
	var stop atomic.Bool
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop.Store(true)
	var left atomic.Int64
	left.Store(int64(len(steps)))
	for _, step := range steps {
		wg.Go(func() {
			for n := 0; !stop.Load(); n++ {
				if step(); n == rounds {
					left.Add(-1)
				}
			}
		})
	}
	for do(); left.Load() > 0; do() {
	}
}

func TestH01SignalInsideSwitch(t *testing.T) {
	if testsupport.NoChildren() != "" {
		t.Skip("no signals here")
	}
	got := make(chan os.Signal, 1)
	signal.Notify(got, winch)
	defer signal.Stop(got)
	self, err := os.FindProcess(os.Getpid())
	require.NoError(t, err)
	if err := self.Signal(winch); err != nil {
		t.Skipf("cannot send signals here: %v", err)
	}
	runtime.SetCPUProfileRate(1000)
	defer runtime.SetCPUProfileRate(0)
	eachStorage(t, func(t *testing.T, st storage) {
		amid(testsupport.Scale(2000), func() { t.Run("", func(t *testing.T) { pingPong(t, st, 10_000) }) },
			func() { _ = self.Signal(winch) }) // it worked above
	})
}

// A fresh coroutine starts with sched.ctxt set; gosave_systemstack_switch ends
// the process if it is left set.
func TestH02ContextIsCleared(t *testing.T) {
	eachStorage(t, func(t *testing.T, st storage) {
		for range testsupport.Scale(200) {
			t.Run("", func(t *testing.T) {
				c := st.coro(t, func(c *stackhop.Coro) {
					_ = runtime.NumGoroutine()
					_ = make([]byte, 1<<16)
					debug.SetGCPercent(debug.SetGCPercent(100)) // systemstack, and stops the world
					c.Switch()
					runtime.GC()
				})
				c.Switch()
				c.Switch()
			})
		}
	})
}

// Each of the flags is raised while tasks switch; the runtime's own checks
// tell if one was not seen. The tracer even counts.
func TestH03FlagsAreSeen(t *testing.T) {
	const trips = 500
	path := t.TempDir() + "/exec.trace"
	f, err := os.Create(path)
	require.NoError(t, err)
	require.NoError(t, trace.Start(f))
	pingPong(t, mapped, trips)
	trace.Stop()
	require.NoError(t, f.Close())
	amid(testsupport.Scale(30), func() { t.Run("", func(t *testing.T) { pingPong(t, mapped, 10_000) }) },
		func() { runtime.GC() },
		func() { _ = pprof.Lookup("goroutine").WriteTo(discard{}, 0) })
	if reason := testsupport.NoGo(); reason != "" {
		t.Skipf("switches in the trace not counted: %s", reason)
	}
	_, err = testsupport.CheckTrace(path)
	require.NoError(t, err)
	if asm() {
		switches, err := testsupport.TraceSwitches(path)
		require.NoError(t, err)
		require.Equal(t, 2*(trips+1), switches, "coroutine switches in the trace")
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// The world stops and starts, with flags raised in between, as often as it can.
func TestH04NothingComesBetweenCheckAndSwitch(t *testing.T) {
	if testsupport.NoChildren() != "" {
		t.Skip(testsupport.NoChildren())
	}
	eachStorage(t, func(t *testing.T, st storage) {
		amid(testsupport.Scale(100), func() { t.Run("", func(t *testing.T) { pingPong(t, st, 10_000) }) },
			func() { debug.SetGCPercent(debug.SetGCPercent(100)); time.Sleep(10 * time.Microsecond) },
			func() {
				if trace.Start(discard{}) == nil {
					runtime.Gosched()
					trace.Stop()
				}
			})
	})
}

// H05 needs checkmark mode, which ends the process for every object that the
// concurrent mark missed.
func TestH05SwitchWhileMarking(t *testing.T) {
	testsupport.RunChild(t, "marking", childLimit, "GODEBUG=gccheckmark=1").RequireOK(t)
	testsupport.RunChild(t, "marking", childLimit, "GODEBUG=clobberfree=1").RequireOK(t)
}

var _ = testsupport.Child("marking", func() {
	amid(testsupport.Scale(100), marking, runtime.GC)
	fmt.Println("ok")
})

func marking() {
	const tasks = 8
	var coros [tasks]*stackhop.Coro
	var stacks [tasks]func()
	for i := range coros {
		region, free := lentRegion()
		stacks[i] = free
		c, err := stackhop.New(region, func(c *stackhop.Coro) {
			var list *stressNode
			for n := range 1000 {
				list = &stressNode{next: list, value: uint64(n)}
				c.Switch()
				if list.value != uint64(n) {
					panic(fmt.Sprintf("task %d: %d, want %d", i, list.value, n))
				}
				if n%64 == 0 {
					list = nil
				}
			}
		})
		if err != nil {
			panic(err)
		}
		coros[i] = c
	}
	for left := tasks; left > 0; {
		for i, c := range coros {
			if c.Done() {
				continue
			}
			if c.Switch(); c.Done() {
				left--
				stacks[i]()
			}
		}
	}
}

// Two resumers: the second one is told.
func TestH07OnlyOneResumer(t *testing.T) {
	eachStorage(t, func(t *testing.T, st storage) {
		inside, leave := make(chan struct{}), make(chan struct{})
		c := st.coro(t, func(c *stackhop.Coro) {
			close(inside)
			<-leave
			c.Switch()
		})
		var first sync.WaitGroup
		first.Go(c.Switch)
		<-inside
		require.ErrorIs(t, c.TrySwitch(), stackhop.ErrRunning, "from a second goroutine")
		require.PanicsWithError(t, stackhop.ErrRunning.Error(), c.Switch)
		close(leave)
		first.Wait()
		require.NoError(t, c.TrySwitch())
		require.True(t, c.Done())
		require.ErrorIs(t, c.TrySwitch(), stackhop.ErrDone)
		require.Panics(t, c.Switch)
	})
}

// A goroutine that the body only uses, here iter.Pull's, is not the body.
func TestH07NotTheBodysGoroutine(t *testing.T) {
	eachStorage(t, func(t *testing.T, st storage) {
		var errs [2]error
		c := st.coro(t, func(c *stackhop.Coro) {
			done := make(chan struct{})
			go func() { defer close(done); errs[0] = c.TrySwitch() }()
			<-done
			c.Switch()
		})
		c.Switch()
		c.Switch()
		require.ErrorIs(t, errs[0], stackhop.ErrRunning)
	})
}

// A loop that does nothing but switch must reach a safe point even when
// signals may not preempt it.
func TestH08SwitchOnlyLoopStops(t *testing.T) {
	for _, kind := range []string{"native", "mapped"} {
		t.Run(kind, func(t *testing.T) {
			testsupport.RunChild(t, "switch-only", childLimit, "GODEBUG=asyncpreemptoff=1", "STACKHOP_KIND="+kind).RequireOK(t)
		})
	}
}

var _ = testsupport.Child("switch-only", func() {
	region := stackhop.Region{}
	if os.Getenv("STACKHOP_KIND") == "mapped" {
		region = childRegion()
	}
	var stop atomic.Bool // set once the world has been stopped often enough
	c, err := stackhop.New(region, func(c *stackhop.Coro) {
		for !stop.Load() {
			c.Switch()
		}
	})
	if err != nil {
		panic(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for !c.Done() {
			c.Switch()
		}
	}()
	for range 20 {
		runtime.GC()
		stacks()
	}
	stop.Store(true)
	<-done
	fmt.Println("ok")
})

// What only a frame on a suspended stack refers to stays alive, in every frame
// from the suspension to the base.
func TestH09EveryFramesPointersAreRoots(t *testing.T) {
	testsupport.RunChild(t, "frame-roots", childLimit, "GODEBUG=clobberfree=1").RequireOK(t)
}

var _ = testsupport.Child("frame-roots", func() {
	for depth := range 30 {
		for _, region := range []stackhop.Region{{}, childRegion()} {
			sum := 0
			c, err := stackhop.New(region, func(c *stackhop.Coro) { sum = rooted(c, depth) })
			if err != nil {
				panic(err)
			}
			c.Switch()
			runtime.GC()
			var churn [][]byte
			for i := range 200 {
				churn = append(churn, make([]byte, 64+i%64))
			}
			runtime.GC()
			runtime.KeepAlive(churn)
			c.Switch()
			if want := (depth + 1) * 64 * 7; sum != want {
				panic(fmt.Sprintf("depth %d: %d, want %d", depth, sum, want))
			}
		}
	}
	fmt.Println("ok")
})

//go:noinline
func rooted(c *stackhop.Coro, depth int) int {
	own := new([64]int)
	for i := range own {
		own[i] = 7
	}
	below := 0
	if depth > 0 {
		below = rooted(c, depth-1)
	} else {
		c.Switch()
	}
	for _, v := range own {
		below += v
	}
	return below
}

// The dump shows a suspended body from its innermost call to its base.
func TestH09DumpIsWhole(t *testing.T) {
	eachStorage(t, func(t *testing.T, st storage) {
		c := st.coro(t, func(c *stackhop.Coro) { rooted(c, 5) })
		c.Switch()
		var dump string
		for g := range strings.SplitSeq(stacks(), "\n\n") {
			if strings.Contains(g, "tests.rooted(") {
				require.Empty(t, dump, "two goroutines with the frames of one")
				dump = g
			}
		}
		require.Equal(t, 6, strings.Count(dump, "tests.rooted("), dump)
		require.Contains(t, dump, "TestH09DumpIsWhole", dump)
		require.NotContains(t, dump, "unexpected return pc", dump)
		c.Switch()
	})
}

// Frame-pointer walks: the tracer's at each event, and those of the contention
// profiles. Each must end at the base of its own stack.
func TestH10FramePointerWalksEnd(t *testing.T) {
	defer runtime.SetMutexProfileFraction(runtime.SetMutexProfileFraction(1))
	runtime.SetBlockProfileRate(1)
	defer runtime.SetBlockProfileRate(0)
	path := t.TempDir() + "/exec.trace"
	f, err := os.Create(path)
	require.NoError(t, err)
	require.NoError(t, trace.Start(f))
	eachStorage(t, func(t *testing.T, st storage) {
		var mu sync.Mutex
		c := st.coro(t, func(c *stackhop.Coro) {
			for range 20 {
				answer := make(chan int, 1)
				go func() { mu.Lock(); runtime.Gosched(); mu.Unlock(); answer <- 1 }()
				mu.Lock()
				runtime.Gosched()
				mu.Unlock()
				<-answer
				c.Switch()
			}
		})
		drain(func() bool { c.Switch(); return c.Done() }, func() {})
	})
	trace.Stop()
	require.NoError(t, f.Close())
	for _, name := range []string{"block", "mutex"} {
		require.NoError(t, pprof.Lookup(name).WriteTo(discard{}, 1))
	}
	if reason := testsupport.NoGo(); reason != "" {
		t.Skipf("trace not parsed: %s", reason)
	}
	events, err := testsupport.CheckTrace(path)
	require.NoError(t, err)
	require.Contains(t, events, "TestH10FramePointerWalksEnd")
}

// The compiler takes X15 for zero, and R14 or R28 for the current goroutine.
func TestH11FixedRegisters(t *testing.T) {
	type block [8]uint64
	zero := func() (b block) { return b }
	eachStorage(t, func(t *testing.T, st storage) {
		bad := 0
		x := 1.5
		c := st.coro(t, func(c *stackhop.Coro) {
			for range 1000 {
				y := x * 3
				c.Switch()
				if zero() != (block{}) || y != x*3 {
					bad++
				}
			}
		})
		for !c.Done() {
			y := x * 7
			c.Switch()
			if zero() != (block{}) || y != x*7 {
				bad++
			}
		}
		require.Zero(t, bad)
	})
}

// A race build has every hand-over as an edge; nothing but the switch orders
// these accesses.
func TestH12SwitchIsHappensBefore(t *testing.T) {
	if testsupport.Race {
		require.Equal(t, "portable", stackhop.Backend().Name)
		require.Contains(t, stackhop.Backend().Reason, "race")
	}
	eachStorage(t, func(t *testing.T, st storage) {
		shared := 0
		c := st.coro(t, func(c *stackhop.Coro) {
			for range 100 {
				shared++
				c.Switch()
				shared++
			}
		})
		for !c.Done() {
			shared++
			c.Switch()
			shared++
		}
		require.Equal(t, 402, shared)
	})
}

// A suspended body says so; leak detection and the tracer read the reason.
func TestH16WaitReason(t *testing.T) {
	needAsm(t)
	c := mapped.coro(t, func(c *stackhop.Coro) {
		c.Switch()
		wait := make(chan int)
		go func() { wait <- 1 }()
		<-wait // leaves another reason behind
		c.Switch()
	})
	for range 2 {
		c.Switch()
		require.Regexp(t, `goroutine \d+ \[coroutine\]:\n(?:.*\n)*?.*TestH16WaitReason`, stacks())
	}
	c.Switch()
}
