//go:build linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28

package stackhop

import (
	"sync"
	"sync/atomic"
	"unsafe"
)

// The growth trap. A stack whose window is a power of two overflows in the
// runtime's own growth: morestack, newstack, copystack, which allocates a new
// stack and copies the old one by memmove. The copy comes to the dead space,
// which faults: on g0, with no lock held, g in state _Gcopystack, so that nobody
// else looks at it. trapHandler knows the case and goes to copyTrap instead of
// back into memmove; that calls trapped, which undoes what copystack has done and
// gives the stack a wider window; and then runs g from its prologue again, as
// newstack would have. At the end of the region atEnd decides how g goes on.

// What the trap found, written once by findTrap.
var (
	//lint:ignore U1000 the assembly reads it
	memmovePC uintptr
	//lint:ignore U1000 likewise
	memmoveLen uintptr
	//lint:ignore U1000 likewise
	gogoPC uintptr
	//lint:ignore U1000 likewise
	chainPC uintptr // the handler before ours
	//lint:ignore U1000 likewise
	hasAVX uint8

	newLoSlot, newHiSlot uintptr // where copystack keeps the new stack, from its SP
	maxStackScanDelta    uintptr // where p counts how much stacks have grown
	stackfree            func(lo, hi uintptr)
	casgstatus           func(g uintptr, from, to uint32)
	throw                func(why string)
	overflowPC           uintptr // of overflowed
	lendPC               uintptr // of callInReserve
)

// The header of a region, as the trap uses it, bytes above g.stktopsp.
const (
	coroSlot     = 72  // the Coro
	overflowSlot = 88  // where the last call that did not fit would have gone; 80 is arm64's LR
	stateSlot    = 96  // soft guard and unwinds flag, see setState
	callSlot     = 104 // for callInReserve: what to call, and the size of its arguments
	backSlot     = 112 // likewise: where the window then begins again
	guardSlot    = 120 // likewise: stackguard0 then
	lentSlot     = 128 // the stack pointer of the last callInReserve that has not returned, or 0
)

// Below nilPages a fault is one of a pointer that is nil, or nearly.
//
//lint:ignore U1000 the assembly reads it
const nilPages = 64 << 10

var growth struct {
	sync.Mutex
	found    bool
	missing  error       // what could not be found; another attempt would not find it either
	on       atomic.Bool // the handler is installed
	overflow atomic.Pointer[func(Overflow) error]

	grown, overflowed, stepped, forced atomic.Uint64
}

// EnableGrowth makes stacks that grow in place possible: it installs a SIGSEGV
// handler in front of the one that the process has, which serves nothing but the
// growth of such stacks and passes every other fault on, untouched.
//
// overflow makes the value that a body panics with when a call does not fit at
// the end of its region; it is called on the body's stack, with little room. A
// second EnableGrowth replaces it.
//
// The error is a *GrowthError: the portable backend serves, no region can be used (see
// Mapped), the runtime is not as expected, or another handler is in the way. Strict regions work anyway.
func EnableGrowth(overflow func(Overflow) error) error {
	if b := backend(); b.name != asmName {
		return &GrowthError{"the portable backend uses stacks of the runtime: " + b.reason}
	}
	if unmapped != nil {
		return &GrowthError{"all stacks are the runtime's, since " + unmapped.Why}
	}
	growth.Lock()
	defer growth.Unlock()
	growth.overflow.Store(&overflow)
	if growth.on.Load() {
		return nil
	}
	if !growth.found {
		if growth.missing != nil {
			return growth.missing
		}
		var t trapFacts
		if err := guarded(t.find); err != nil {
			growth.missing = &GrowthError{err.Error()}
			return growth.missing
		}
		t.use()
		growth.found = true
	}
	if err := installHandler(); err != nil {
		return err
	}
	growth.on.Store(true)
	return nil
}

// DisableGrowth puts the handler back that EnableGrowth found. The error is a
// *GrowthError if somebody has installed another since, who may call ours: then
// it stays. Stacks that grow must not run any more.
func DisableGrowth() error {
	growth.Lock()
	defer growth.Unlock()
	if !growth.on.Load() {
		return nil
	}
	if err := removeHandler(); err != nil {
		return err
	}
	growth.on.Store(false)
	return nil
}

// GrowthEnabled reports whether stacks can grow in place now.
func GrowthEnabled() bool { return growth.on.Load() }

// Growth returns what the trap has done so far.
func Growth() GrowthCounts {
	return GrowthCounts{growth.grown.Load(), growth.overflowed.Load(), growth.stepped.Load(), growth.forced.Load()}
}

func growthReady() bool { return backend().name != asmName || growth.on.Load() }

// use makes the facts the trap's. SAFETY(K2): find has checked them; a func
// value is a pointer to a pointer to code.
func (t *trapFacts) use() {
	memmovePC, memmoveLen = t.memmove, t.memmoveLen
	gogoPC = t.gogo
	newLoSlot, newHiSlot = t.newLoSlot, t.newHiSlot
	maxStackScanDelta = t.maxStackScanDelta
	sf, cs, th := &t.stackfree, &t.casgstatus, &t.throw
	stackfree = *(*func(uintptr, uintptr))(unsafe.Pointer(&sf))
	casgstatus = *(*func(uintptr, uint32, uint32))(unsafe.Pointer(&cs))
	throw = *(*func(string))(unsafe.Pointer(&th))
	hasAVX = avx()
	entry := overflowed
	overflowPC = **(**uintptr)(unsafe.Pointer(&entry))
	lendPC = callInReservePC()
}

// setWindow is what WIDEN gives the body from now on.
func (c *Coro) setWindow(w extent) {
	c.lo, c.hi = w.lo, w.hi
	c.grows = 0
	if c.region.grows() {
		c.grows = 1
		c.setState(0, false)
		poke64(c.header()+lentSlot, 0)
	}
}

// guard is stackguard0 of the window.
func (c *Coro) guard() uintptr { return c.lo + stackGuard }

// rearm takes the window of c out of the reserve, where an overflow has put it, as
// far as sp allows: what lives below sp is not needed any more. If sp itself is in
// the reserve, the window begins stackGuard bytes below it, and the soft guard is that
// of the limit: so the next call of ordinary code panics, and does not use the reserve
// up. A panic or a Goexit that goes on keeps what it has of the reserve.
func (c *Coro) rearm(sp uintptr) {
	if c.grows == 0 {
		return
	}
	r := c.Region()
	if c.lo > r.Limit {
		return
	}
	if sp >= r.Limit+stackGuard {
		if c.lo < r.Limit {
			c.wipeReserve(c.lo, r.Limit)
		}
		c.setWindow(extent{r.Limit, r.Hi})
		return
	}
	lo := min(r.Limit, (sp-stackGuard)&^(RegionAlign-1))
	if lo <= c.lo || peek64(c.g+gPanic) != 0 {
		return
	}
	c.wipeReserve(c.lo, lo)
	c.lo, c.hi = lo, c.hi+(lo-c.lo)
	c.setState(c.limitGuard(), false)
}

// Rearm gives the reserve of the stack back that overflows have opened, so that
// the next one finds all of it. The kernel does so at the next switch of its
// own accord; only a body that recovers from many overflows without any
// switch in between needs to call it, after each recover, and not in the deferred
// call itself, below which the frames of the overflow still are. What its caller
// has of the reserve stays open until the caller has returned from there.
func (c *Coro) Rearm() {
	if c.grows == 0 || c.g != getg() || c.belowC(c.g, peek64(c.g+gM)) {
		return
	}
	before := c.lo
	if c.rearm(callerSP()); c.lo != before {
		guard := max(c.guard(), c.softGuard())
		rewindow(c)
		poke64(c.g+gStackguard0, guard)
	}
}

// Shrink gives the parked body of c, which has ended or whose stack is shallow,
// its first window again. It is the owner's to call; nothing happens if the
// frames do not fit there.
func (c *Coro) Shrink() {
	if c.grows != 0 {
		c.shrink()
	}
}

func (c *Coro) shrink() {
	if c.g == notEnterable || c.g == getg() {
		return
	}
	w := c.region.firstWindow()
	if peek64(c.g+gSchedSP) >= w.lo+stackGuard {
		c.setWindow(w)
	}
}

// trapped does, on g0 and in the place of a memmove that copystack has called, what
// newstack is to do instead of copying a stack: cs is copystack's SP. On return
// g.sched is where g goes on.
//
// SAFETY(K6): whoever looks at g meanwhile waits for the state _Gcopystack to go
// (suspendG, preempt.go); so the state changes last. It runs on g0, where nothing
// preempts and the collector does not scan: c is kept by K3.
//
// registers is room for the arguments of the function that did not fit: over says
// that g.sched wants them in registers.
//
//lint:ignore U1000 the assembly calls it
func trapped(cs, registers uintptr) (over bool) {
	m := peek64(getg() + gM)
	g := peek64(m + mCurg)
	old := extent{peek64(g + gStackLo), peek64(g + gStackHi)}
	now := extent{peek64(cs + newLoSlot), peek64(cs + newHiSlot)}
	if !copies(cs, old, now) {
		throw("BUG: stackhop: copystack's frame is not as expected")
	}
	c := coroAt(peek64(peek64(g+gStktopsp) + coroSlot))
	r := c.Region()

	// adjustsudogs: what pointed into the old stack points into the new one, and
	// nothing else does yet. Set while g parks or wakes on a channel.
	for s := peek64(g + gSudogs); s != 0; s = peek64(s + sudogWaitlink) {
		unadjust(s+sudogElemTraced, old, now)
		if sudogElemValue != sudogElemTraced {
			unadjust(s+sudogElemValue, old, now)
		}
	}
	// addScannableStack: it has counted the difference on this thread's P, of which
	// a goroutine that grows its stack always has one.
	if p := peek64(m + mP); p != 0 {
		delta := p + maxStackScanDelta
		poke64(delta, peek64(delta)-(now.hi-now.lo)+(old.hi-old.lo))
	}
	wipeCopy(g, now, old.hi-peek64(g+gSchedSP))
	stackfree(now.lo, now.hi)

	switch {
	case c.belowC(g, m):
		throw("stackhop: coroutine stack overflow in a call from C: no window can move there")
	case old.lo > r.Limit:
		// Four times the old window or more: a growth costs a signal, a wider window
		// address space only, and scan work while somebody looks (see slowLeave).
		c.setWindow(r.sized(2 * (now.hi - now.lo)))
		growth.grown.Add(1)
	default:
		over = c.atEnd(g, m, registers)
	}

	poke64(g+gStackLo, c.lo)
	poke64(g+gStackHi, c.hi)
	poke64(g+gStackguard0, max(c.guard(), c.softGuard())) // may overwrite a preemption request, as copystack does
	casgstatus(g, gCopystack, gRunning)
	return over
}

// belowC reports whether the body, which runs on m, is in a call from C: then
// asmcgocall remembers, for the return to C's caller on this very stack, how far
// SP was from the upper end. Such a call locks g to its thread (cgocallbackg,
// cgocall.go). Calls from C on the stacks of the owner and of its owners did so
// before the body was entered.
func (c *Coro) belowC(g, m uintptr) bool {
	return peek64(g+gLockedm) != 0 && peek32(m+mLockedInt) > c.entryInt
}

// copies holds the new stack that the discovered slots name against what else
// copystack's frame says: its adjustinfo has the old extent and how far the new
// ones are from there, in this order.
func copies(cs uintptr, old, now extent) bool {
	const words = 128 // of copystack's frame and its caller's
	size := now.hi - now.lo
	if now.hi <= now.lo || size&(size-1) != 0 || size < 2*(old.hi-old.lo) {
		return false
	}
	for p := cs; p < min(cs+8*words, peek64(getg()+gStackHi)-16); p += 8 {
		if peek64(p) == old.lo && peek64(p+8) == old.hi && peek64(p+16) == now.hi-old.hi {
			return true
		}
	}
	return false
}

func unadjust(elem uintptr, old, now extent) {
	if v := peek64(elem); now.lo <= v && v < now.hi {
		poke64(elem, v-now.hi+old.hi)
	}
}

// overflowed is where a body goes on whose call did not fit.
func overflowed() {
	c := Current()
	r := c.Region()
	err := (*growth.overflow.Load())(Overflow{Region: r, PC: peek64(c.header() + overflowSlot), Size: r.Top - r.Limit})
	panic(err)
}
