//go:build linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28

package stackhop

import (
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/trace"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// testRegion maps a region with a dead space that is not accessible.
func testRegion(t testing.TB, size uintptr) Region {
	t.Helper()
	if Backend().Name != asmName {
		t.Skip("portable backend: no region is used: " + Backend().Reason)
	}
	mem, err := unix.Mmap(-1, 0, int(size*2), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_STACK)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, unix.Munmap(mem)) })
	require.NoError(t, unix.Mprotect(mem[size:], unix.PROT_NONE))
	lo := addressOf(mem)
	return Region{Lo: lo, Top: lo + size, Hi: lo + size + size/3&^15 + 4096}
}

// finishing returns a flag for a body to end by, and ends it when the test ends:
// a parked body's memory must not be unmapped.
func finishing(t testing.TB) (stop *bool, last func(*Coro)) {
	stop = new(bool)
	return stop, func(c *Coro) {
		t.Cleanup(func() {
			*stop = true
			for range 2 { // a body may suspend twice in each turn
				if !c.Done() {
					c.Switch()
				}
			}
			require.True(t, c.Done())
		})
	}
}

// window answers the parked body's g.stack, g.sched.sp and g.stackguard0.
func window(c *Coro) (lo, hi, sp, guard uintptr) {
	return peek64(c.g + gStackLo), peek64(c.g + gStackHi), peek64(c.g + gSchedSP), peek64(c.g + gStackguard0)
}

// requireNarrow wants the window of the parked body to be what is in use. If it is
// the running one, [lo, hi), the body left on the slow path, for which a request
// for preemption is enough that came at that moment: then again switches it once
// more. A switch that always took the slow path would fail.
func requireNarrow(t *testing.T, c *Coro, lo, hi uintptr, again func(), why string) {
	t.Helper()
	for range 100 {
		l, h, sp, _ := window(c)
		if l != lo || h != hi {
			require.Equal(t, [2]uintptr{sp, c.region.end() - edgeDepth}, [2]uintptr{l, h}, why)
			return
		}
		again()
	}
	require.Fail(t, "a hundred slow switches in a row", why)
}

// looked runs f while the execution tracer runs: each switch takes the slow path.
func looked(t *testing.T, f func()) {
	if trace.IsEnabled() {
		t.Skip("the test binary is being traced already")
	}
	require.NoError(t, trace.Start(io.Discard))
	f()
	trace.Stop()
}

func TestWindowIsNarrowWhileSuspended(t *testing.T) {
	r := testRegion(t, 64<<10)
	var inside [4]uintptr
	stop, last := finishing(t)
	c, err := New(r, func(c *Coro) {
		for !*stop {
			inside = [4]uintptr{peek64(c.g + gStackLo), peek64(c.g + gStackHi), 0, peek64(c.g + gStackguard0)}
			c.Switch()
		}
	})
	require.NoError(t, err)
	last(c)
	narrow := func(why string) { requireNarrow(t, c, r.Lo, r.Hi, c.Switch, why) }
	running := func(why string) {
		require.Equal(t, r.Lo, inside[0], why)
		require.Equal(t, r.Hi, inside[1], why)
		if inside[3] < 1<<60 { // else a preemption request
			require.Equal(t, r.Lo+stackGuard, inside[3], why)
		}
	}
	c.Switch()
	narrow("after a fresh start")
	running("after a fresh start")
	runtime.GC()
	lo, _, _, guard := window(c)
	require.Equal(t, lo+stackGuard, guard, "a scan derives stackguard0 from the window it finds; if not, a switch need not mend it")
	c.Switch()
	narrow("after a scan")
	running("after a scan")
	looked(t, func() {
		c.Switch()
		running("slow in")
		lo, hi, _, _ := window(c)
		require.Equal(t, [2]uintptr{r.Lo, r.Hi}, [2]uintptr{lo, hi}, "slow out keeps the wide window")
	})
	c.Switch()
	narrow("fast after slow")
	running("fast after slow")
}

// Deep frames after every kind of resume: a stackguard0 that is too high would
// be an overflow, one that is too low would be silent.
func TestDeepFramesAfterScanAndTrace(t *testing.T) {
	stop, last := finishing(t)
	c, err := New(testRegion(t, 256<<10), func(c *Coro) {
		for !*stop {
			if deep(400) != 400 {
				panic("wrong sum")
			}
			c.Switch()
		}
	})
	require.NoError(t, err)
	last(c)
	for i := range 60 {
		if i%3 == 0 {
			runtime.GC()
		}
		if i%10 == 0 {
			looked(t, c.Switch)
		}
		c.Switch()
	}
}

//go:noinline
func deep(n int) int {
	var pad [32]uint64
	pad[n%32] = uint64(n)
	if n == 0 {
		return 0
	}
	return deep(n-1) + 1 + int(pad[(n+1)%32])
}

// While the collector marks without a pause, switches take the middle path on
// both sides; the tasks' heap data must survive.
func TestSwitchWhileMarking(t *testing.T) {
	regions := []Region{testRegion(t, 64<<10), testRegion(t, 64<<10), testRegion(t, 64<<10)}
	defer debug.SetGCPercent(debug.SetGCPercent(5))
	stop := make(chan bool)
	var cycles atomic.Int64
	var wg sync.WaitGroup
	wg.Add(1)
	go func() {
		defer wg.Done()
		for {
			select {
			case <-stop:
				return
			default:
				runtime.GC()
				cycles.Add(1)
			}
		}
	}()
	duration := 2 * time.Second
	if testing.Short() {
		duration = 300 * time.Millisecond
	}
	end := time.Now().Add(duration)
	for w, r := range regions {
		wg.Add(1)
		go func() {
			defer wg.Done()
			ended := false
			c, err := New(r, func(c *Coro) {
				kept := map[int]*[16]int{}
				for i := 0; !ended; i++ {
					p := new([16]int)
					p[3] = i
					kept[i%64] = p
					c.Switch()
					for j := max(0, i-50); j < i; j++ {
						if kept[j%64][3] != j {
							panic("lost an object")
						}
					}
				}
			})
			if err != nil {
				t.Error(err)
				return
			}
			for i := 0; time.Now().Before(end); i++ {
				c.Switch()
				if w == 0 && i%100 == 0 {
					runtime.Gosched()
				}
			}
			ended = true
			c.Switch()
		}()
	}
	time.Sleep(duration)
	close(stop)
	wg.Wait()
	require.Positive(t, cycles.Load())
}

func TestPortableByEnvironment(t *testing.T) {
	if os.Getenv("STACKHOP_BACKEND") == portableName {
		require.Equal(t, portableName, Backend().Name)
		require.Contains(t, Backend().Reason, "STACKHOP_BACKEND")
		return
	}
	require.Equal(t, asmName, Backend().Name, Backend().Reason)
	require.NotEmpty(t, Backend().Facts)
}
