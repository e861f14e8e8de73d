package tests

import (
	"fmt"
	"os"
	"regexp"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"strconv"
	"strings"
	"testing"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/internal/testsupport"
	"github.com/stackhop/stackhop/mmapstack"
	"github.com/stretchr/testify/require"
)

// checkptr ends the process when a pointer is made from an address of g, m or
// a stack. Only this module is instrumented: the rest has race builds.
func TestH14Checkptr(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a test binary; not with -short")
	}
	needAsm(t)
	out := testsupport.Go(t, "", "test", "-short", "-count=1", "-gcflags="+module+"/...=-d=checkptr",
		"-run=^(TestSuspendInside|TestH2[0-4].*|TestH07.*|TestH11.*|TestH34.*|TestPanic.*|TestGoexit.*|TestCurrent.*)$", ".")
	require.Contains(t, out, "ok")
}

// Modes of the runtime that ask more of a stack or of a switch.
func TestDebugModes(t *testing.T) {
	modes := []string{
		"adaptivestackstart=0", "gcstoptheworld=2", "tracefpunwindoff=1", "tracecheckstackownership=1",
		"gcshrinkstackoff=1", "invalidptr=1", "tracebackancestors=10", "schedtrace=50,scheddetail=1",
		"gcstoptheworld=1", "madvdontneed=1", "dontfreezetheworld=1", "traceadvanceperiod=1000000", "checkfinalizers=1",
	}
	if testing.Short() {
		modes = modes[:4]
	}
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			testsupport.RunChild(t, "mode", childLimit, "GODEBUG="+mode).RequireOK(t)
		})
	}
}

// traceallocfree wants every stack to be a power of two, which a region of the
// strict policy is not. On stacks of the runtime's own it works; on regions it
// ends the process with a message that says why, or another backend serves.
func TestH28TraceAllocFree(t *testing.T) {
	testsupport.RunChild(t, "mode", childLimit, "GODEBUG=traceallocfree=1", "STACKHOP_KIND=native").RequireOK(t)
	r := testsupport.RunChild(t, "mode", childLimit, "GODEBUG=traceallocfree=1")
	if r.Code != 0 {
		require.Contains(t, r.Stderr, "fatal error: goroutine stack size is not a power of 2")
		return
	}
	r.RequireOK(t)
}

var _ = testsupport.Child("mode", func() {
	for range 3 {
		if err := trace.Start(discard{}); err != nil {
			panic(err)
		}
		sum, want := 0, 0
		var coros []*stackhop.Coro
		for i := range 8 {
			var region stackhop.Region
			if childKind() != "native" {
				region = childRegion()
			}
			c, err := stackhop.New(region, func(c *stackhop.Coro) {
				sum += rooted(c, i)
				rooted(c, 3)
			})
			if err != nil {
				panic(err)
			}
			want += (i + 1) * 64 * 7
			coros = append(coros, c)
		}
		for range 3 {
			for _, c := range coros {
				c.Switch()
			}
			look()
			trace.Stop() // and anew while they are suspended
			if err := trace.Start(discard{}); err != nil {
				panic(err)
			}
		}
		trace.Stop()
		if sum != want {
			panic(fmt.Sprintf("%d, want %d", sum, want))
		}
	}
	for range 1000 {
		c, err := stackhop.New(stackhop.Region{}, func(c *stackhop.Coro) { c.Switch() })
		if err != nil {
			panic(err)
		}
		c.Switch()
		c.Switch()
	}
	fmt.Println("ok")
})

// Mapped stacks never come in huge pages, and a forked child inherits them.
func TestH31MemoryFlags(t *testing.T) {
	needAsm(t)
	if testsupport.Emulated() {
		t.Skip("the emulator makes /proc/self/smaps up")
	}
	s := stackOrSkip(mmapstack.New(8 << 20))(t)
	defer func() { require.NoError(t, s.Close()) }()
	c, err := stackhop.New(s.Region(), func(*stackhop.Coro) { overflow((6 << 20) / 192) })
	require.NoError(t, err)
	c.Switch()
	smaps, err := os.ReadFile("/proc/self/smaps")
	require.NoError(t, err)
	mapping := mappingOf(t, string(smaps), s.Region().Top-16)
	require.Regexp(t, `AnonHugePages:\s+0 kB`, mapping)
	require.Regexp(t, `VmFlags:.*\bnr\b`, mapping, "MAP_NORESERVE")
	for _, flag := range []string{"dc", "wf", "hg"} { // not copied or wiped on fork, huge pages wanted
		require.NotRegexp(t, `VmFlags:.*\b`+flag+`\b`, mapping)
	}
}

// mappingOf returns the part of smaps that tells of addr.
func mappingOf(t *testing.T, smaps string, addr uintptr) string {
	t.Helper()
	head := regexp.MustCompile(`(?m)^([0-9a-f]+)-([0-9a-f]+) `)
	at := head.FindAllStringSubmatchIndex(smaps, -1)
	for i, m := range at {
		lo, err := strconv.ParseUint(smaps[m[2]:m[3]], 16, 64)
		require.NoError(t, err)
		hi, err := strconv.ParseUint(smaps[m[4]:m[5]], 16, 64)
		require.NoError(t, err)
		if uint64(addr) >= lo && uint64(addr) < hi {
			end := len(smaps)
			if i+1 < len(at) {
				end = at[i+1][0]
			}
			return smaps[m[0]:end]
		}
	}
	t.Fatalf("%#x is in no mapping", addr)
	return ""
}

// A suspended stack is a root: what it refers to stays, though nobody can
// resume it any more. Leak profiles do not list it, and do not stumble.
func TestH32DroppedTasksStay(t *testing.T) {
	testsupport.RunChild(t, "dropped", childLimit).RequireOK(t)
}

var _ = testsupport.Child("dropped", func() {
	freed := make(chan int, 100)
	for i := range 10 {
		dropped(freed, i)
	}
	for range 3 {
		look()
		if p := pprof.Lookup("goroutineleak"); p != nil {
			var text strings.Builder
			if err := p.WriteTo(&text, 2); err != nil {
				panic(err)
			}
		}
	}
	if n := len(freed); n != 0 {
		panic(fmt.Sprintf("%d objects of suspended tasks were freed", n))
	}
	fmt.Println("ok")
})

//go:noinline
func dropped(freed chan int, i int) {
	_, err := ctx.Spawn(func(t *ctx.Task) {
		object := new([64]int)
		runtime.AddCleanup(object, func(i int) { freed <- i }, i)
		t.Yield()
		object[0]++
	})
	if err != nil {
		panic(err)
	}
}
