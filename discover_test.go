//go:build linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28

package stackhop

import (
	"io"
	"iter"
	"math"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"runtime/trace"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// unoptimized reports whether this binary is built with -gcflags=all=-l or -N,
// where discovery answers an error.
func unoptimized() bool {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return false
	}
	for _, s := range info.Settings {
		if s.Key == "-gcflags" && strings.Contains(s.Value, "-l") {
			return true
		}
	}
	return false
}

// discovered returns the facts, or ends the test in a build that has none.
func discovered(t *testing.T) facts {
	t.Helper()
	f, err := discover()
	if unoptimized() {
		require.ErrorContains(t, err, "flags that coroswitch_m tests")
		t.Skip("a build without inlining has no facts")
	}
	require.NoError(t, err)
	return f
}

func TestDiscoverFindsEverything(t *testing.T) {
	f := discovered(t)
	require.Equal(t, "runtime.coroswitch", runtime.FuncForPC(f.coroswitch).Name())
	require.Equal(t, "runtime.newcoro", runtime.FuncForPC(f.newcoro).Name())
	require.EqualValues(t, runtimeStackGuard, f.stackGuard)
	require.NotEqual(t, f.traceEnabled, f.profileActive)

	names := map[string]uintptr{}
	for _, fact := range f.facts {
		require.NotEmpty(t, fact.How, fact.Name)
		names[fact.Name] = fact.Addr
	}
	require.Equal(t, f.coroswitch, names["runtime.coroswitch"])
	require.Equal(t, f.newcoro, names["runtime.newcoro"])
	require.Equal(t, f.corostart, names["runtime.corostart"])
	require.Equal(t, f.traceEnabled, names["runtime.trace.enabled"])
	require.Equal(t, f.profileActive, names["runtime.goroutineProfile.active"])
	require.Equal(t, f.stackGuard, names["runtime.stackGuard"])
	if runtime.GOARCH == "arm64" {
		require.Equal(t, "runtime.save_g", runtime.FuncForPC(f.saveG).Name())
		require.Len(t, f.facts, 8)
	} else {
		require.Zero(t, f.saveG)
		require.Len(t, f.facts, 7)
	}
}

// The place where copystack keeps the new stack is found behind the call that allocates
// it or, where that call is inlined, behind the copy.
func TestBothWaysFindTheNewStack(t *testing.T) {
	discovered(t)
	var trap trapFacts
	require.NoError(t, trap.find())
	c := machineCode(trap.copystack(t))
	_, ret, err := c.callTo("runtime.stackalloc")
	require.NoError(t, err)
	lo, hi, err := c.resultSlots(ret)
	require.NoError(t, err)
	_, ret, err = c.callTo("runtime.memmove")
	require.NoError(t, err)
	loAgain, hiAgain, err := c.stackSlots(ret)
	require.NoError(t, err)
	require.Equal(t, [2]uintptr{lo, hi}, [2]uintptr{loAgain, hiAgain})
	require.Equal(t, [2]uintptr{lo, hi}, [2]uintptr{trap.newLoSlot, trap.newHiSlot})
}

// copystack returns that function, which this binary has.
func (trap *trapFacts) copystack(t *testing.T) uintptr {
	mod, err := moduleOf(trap.casgstatus)
	require.NoError(t, err)
	pc := mod.function(trap.casgstatus, "runtime.copystack")
	require.NotZero(t, pc)
	return pc
}

func TestDiscoverWorksAnywhere(t *testing.T) {
	want := discovered(t)
	again := func(t *testing.T) {
		got, err := discover()
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	t.Run("on a locked thread", func(t *testing.T) {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		again(t)
	})
	t.Run("in a coroutine", func(t *testing.T) {
		next, stop := iter.Pull(func(yield func(error) bool) {
			_, err := discover()
			yield(err)
		})
		defer stop()
		err, ok := next()
		require.True(t, ok)
		require.NoError(t, err)
	})
	t.Run("in a synctest bubble", func(t *testing.T) { synctest.Test(t, again) })
	t.Run("in a deferred call of a panic", func(t *testing.T) {
		defer func() { require.Equal(t, "passed on", recover()) }()
		defer again(t)
		panic("passed on")
	})
	t.Run("while the collector moves stacks", func(t *testing.T) {
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for range 25 {
					runtime.GC()
					if _, err := discover(); err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
	})
	t.Run("under a trace", func(t *testing.T) {
		require.NoError(t, trace.Start(io.Discard))
		defer trace.Stop()
		again(t)
	})
}

func TestDiscoverLeavesPanicOnFaultAlone(t *testing.T) {
	_, err := discover()
	if !unoptimized() {
		require.NoError(t, err)
	}
	require.False(t, debug.SetPanicOnFault(false))
}

func TestFlagsFollowTraceAndProfile(t *testing.T) {
	f := discovered(t)
	require.Zero(t, peek8(f.traceEnabled))
	require.Zero(t, peek8(f.profileActive))
	for range 3 {
		require.NoError(t, trace.Start(io.Discard))
		require.EqualValues(t, 1, peek8(f.traceEnabled))
		require.Zero(t, peek8(f.profileActive))
		trace.Stop()
		require.Zero(t, peek8(f.traceEnabled))
	}

	// A goroutine profile is active only while it is taken, so it is watched
	// from another thread, with enough goroutines to take long.
	const goroutines, profiles = 5000, 1000
	var parked sync.WaitGroup
	release := make(chan struct{})
	for range goroutines {
		parked.Go(func() { <-release })
	}
	defer func() { close(release); parked.Wait() }()

	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for range profiles {
			select {
			case <-stop:
				return
			default:
				_ = pprof.Lookup("goroutine").WriteTo(io.Discard, 0)
			}
		}
	}()
	seen := false
	for ended := false; !seen && !ended; {
		seen = peek8(f.profileActive) == 1
		select {
		case <-done:
			ended = true
		default:
		}
	}
	require.True(t, seen, "goroutineProfile.active was never seen set in %d profiles", profiles)
	require.Zero(t, peek8(f.traceEnabled))
	close(stop)
	<-done
	require.Zero(t, peek8(f.profileActive))
}

func TestDiscoverErrorsNameStepWantAndGot(t *testing.T) {
	const traceAt, profileAt = 0x1000, 0x2000
	sane := func() self {
		return self{g: 0x10, m: 0x20, curg: 0x10, g0: 0x30, sp: 0x1800, lo: 0x1000, hi: 0x2000, top: 0x1ff0,
			g0Lo: 0x5000, g0Guard: 0x5000 + runtimeStackGuard, goid: 7, status: gRunning | gScan}
	}
	with := func(change func(s *self)) func() error {
		return func() error { s := sane(); change(&s); return s.check(7) }
	}
	left := func(change func(p *parked)) func() error {
		return func() error {
			p := parked{sp: 0x1800, bp: 0x1810, lo: 0x1000, hi: 0x2000, top: 0x1ff0, goid: 8, status: gWaiting, reason: waitReasonCoroutine}
			change(&p)
			return p.check(0)
		}
	}
	flags := func(list ...flag) func() error {
		return func() error { var f facts; return f.setFlags(list) }
	}
	require.NoError(t, with(func(*self) {})())
	require.NoError(t, left(func(*parked) {})())
	for _, list := range [][]flag{
		{{traceAt, traceGuarded}, {profileAt, profileGuarded}},
		{{traceAt, ""}, {profileAt, profileGuarded}, {traceAt, "runtime.f"}},
		{{traceAt, traceGuarded}, {profileAt, ""}, {traceAt, ""}},
	} {
		var f facts
		// What is at these addresses is the last thing that it looks at.
		require.ErrorContains(t, guarded(func() error { return f.setFlags(list) }), "want no panic")
		require.Equal(t, [2]uintptr{traceAt, profileAt}, [2]uintptr{f.traceEnabled, f.profileActive})
	}

	tests := []struct {
		name string
		call func() error
		want string
	}{
		{"fault", func() error { return guarded(func() error { peek8(math.MaxUint32 << 12); return nil }) }, "want no panic, got"},
		{"fault near 0", func() error { return guarded(func() error { peek64(8); return nil }) }, "want no panic, got"},
		{"name", func() error { return nameIs("somewhere", 16, "runtime.f") }, `somewhere: want runtime.f, got "" at 0x10`},
		{"m", with(func(s *self) { s.m = 0 }), "g.m of the current goroutine: want a thread, got 0x0"},
		{"curg", with(func(s *self) { s.curg = 0 }), "m.curg of"},
		{"status", with(func(s *self) { s.status = gWaiting }), "g.atomicstatus of the current goroutine: want 2, got 0x4"},
		{"goid", with(func(s *self) { s.goid = 6 }), "g.goid of the current goroutine: want 0x7, got 0x6"},
		{"lo", with(func(s *self) { s.lo = s.sp }), "g.stack.lo of"},
		{"top", with(func(s *self) { s.top = s.hi + 1 }), "g.stktopsp of the current goroutine: want in (0x1800, 0x2000], got 0x2001"},
		{"lockedm without a lock", with(func(s *self) { s.lockedm = s.m }), "g.lockedm of"},
		{"lock without lockedm", with(func(s *self) { s.lockedExt = 1 }), "g.lockedm of"},
		{"g0", with(func(s *self) { s.g0 = s.g }), "m.g0 of"},
		{"guard", with(func(s *self) { s.g0Guard += 8 }), "m.g0.stackguard0 of"},
		{"parked runs", left(func(p *parked) { p.status = gRunning }), "g.atomicstatus of a coroutine parked in iter.Pull: want 4, got 0x2"},
		{"parked reason", left(func(p *parked) { p.reason = 1 }), "g.waitreason of"},
		{"parked m", left(func(p *parked) { p.m = 1 }), "g.m of"},
		{"parked lockedm", left(func(p *parked) { p.lockedm = 1 }), "g.lockedm of"},
		{"parked goid", left(func(p *parked) { p.goid = 0 }), "g.goid of"},
		{"parked bubble", left(func(p *parked) { p.bubble = 1 }), "g.bubble of"},
		{"parked sp", left(func(p *parked) { p.sp = p.hi }), "g.sched.sp of"},
		{"parked bp", left(func(p *parked) { p.bp = 0 }), "g.sched.bp of"},
		{"parked top", left(func(p *parked) { p.top = p.sp }), "g.stktopsp of"},
		{"parked ctxt", left(func(p *parked) { p.ctxt = 1 }), "g.sched.ctxt of"},
		{"parked lr", left(func(p *parked) { p.lr = 1 }), "g.sched.lr of"},
		{"no flag", flags(), "trace.enabled and goroutineProfile.active, got 0x0 and 0x0"},
		{"one flag", flags(flag{traceAt, traceGuarded}), "got 0x1000 and 0x0"},
		{"same flag", flags(flag{traceAt, traceGuarded}, flag{traceAt, profileGuarded}), "got 0x1000 and 0x1000"},
		{"third flag", flags(flag{traceAt, traceGuarded}, flag{profileAt, profileGuarded}, flag{0x3000, "runtime.f"}), `got a call of "runtime.f"`},
		{"two unknown", flags(flag{traceAt, ""}, flag{profileAt, "runtime.f"}), `got a call of ""`},
		{"one unknown alone", flags(flag{traceAt, ""}), `got a call of ""`},
		{"two for one", flags(flag{traceAt, traceGuarded}, flag{profileAt, traceGuarded}), "got 0x1000 and 0x2000"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.call()
			require.ErrorContains(t, err, tt.want)
			var e *discoveryError
			require.ErrorAs(t, err, &e)
		})
	}
}

func TestDiscoverSurvivesAnyMachineCode(t *testing.T) {
	seed := uint32(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	base := machineCode(discovered(t).coroswitch)
	require.NotEmpty(t, base.text)
	for range 2000 {
		text := append([]byte(nil), base.text...)
		for range 4 {
			seed = seed*1664525 + 1013904223
			text[int(seed>>8)%len(text)] ^= byte(seed >> 3)
		}
		c := code{pc: base.pc, text: text, name: base.name}
		// x86asm panics on some cut-off instructions; guarded is how it is called.
		_ = guarded(func() error { _, _, err := c.mcallArg(); return err })
		_ = guarded(func() error { _, err := c.flags(nil); return err })
	}
}
