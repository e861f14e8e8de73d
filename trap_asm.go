//go:build linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28

package stackhop

import (
	"runtime"
	"strings"
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
// newstack would have. At the end of the region g goes on in overflowed instead,
// which panics, or, where that must not be, behind the stack check.

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
)

// Where a region's header, from g.stktopsp on, has its Coro, where the last call that
// did not fit would have gone, and Coro.soft.
const (
	coroSlot     = 72
	overflowSlot = 88 // 80 is arm64's LR
	softSlot     = 96
)

// Below nilPages a fault is one of a pointer that is nil, or nearly.
//
//lint:ignore U1000 the assembly reads it
const nilPages = 64 << 10

var growth struct {
	sync.Mutex
	found    bool
	missing  error       // what could not be found; it will not be another time
	on       atomic.Bool // the handler is installed
	overflow atomic.Pointer[func(Overflow) error]

	grown, overflowed, stepped atomic.Uint64
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
	return GrowthCounts{growth.grown.Load(), growth.overflowed.Load(), growth.stepped.Load()}
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
}

// setWindow is what WIDEN gives the body from now on.
func (c *Coro) setWindow(w extent) {
	c.lo, c.hi = w.lo, w.hi
	c.grows = 0
	if c.region.grows() {
		c.grows = 1
		c.setSoft(0)
	}
}

// guard is stackguard0 of the window.
func (c *Coro) guard() uintptr { return c.lo + stackGuard }

// soft is stackguard0 while calls of the runtime use the reserve; 0: guard. Only a
// region that grows has it, in its header.
func (c *Coro) soft() uintptr     { return peek64(c.region.end() - RegionHeader + softSlot) }
func (c *Coro) setSoft(v uintptr) { poke64(c.region.end()-RegionHeader+softSlot, v) }

// rearm takes the window of c out of the reserve, where an overflow has put it,
// if nothing that lives there is below sp any more.
func (c *Coro) rearm(sp uintptr) {
	if c.grows == 0 {
		return
	}
	if r := c.Region(); c.lo < r.Limit && sp >= r.Limit+stackGuard {
		c.wipeReserve(c.lo, r.Limit)
		c.setWindow(extent{r.Limit, r.Hi})
	}
}

// Rearm gives the reserve of the stack back that overflows have opened, so that
// the next one finds all of it. The kernel does so at the next switch of its
// own accord; only a body that recovers from many overflows without any
// switch in between needs to call it, after each recover.
func (c *Coro) Rearm() {
	if c.grows == 0 || c.g != getg() {
		return
	}
	before := c.lo
	if c.rearm(callerSP()); c.lo != before {
		rewindow(c)
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
// registers is room for the arguments of the function that did not fit, if it is
// to go on behind its stack check; over tells that.
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

	var counted *atomic.Uint64
	switch {
	case peek32(m+mNcgo) != 0:
		throw("stackhop: coroutine stack overflow in a call from C: no window can move there")
	case old.lo > r.Limit:
		// Four times the old window or more: a growth costs a signal, a wider window
		// address space only, and scan work while somebody looks (see slowLeave).
		c.setWindow(r.sized(2 * (now.hi - now.lo)))
		counted = &growth.grown
	case panics(g, m):
		c.overflow(g)
		counted = &growth.overflowed
	default:
		over = c.stepOver(g, registers)
		counted = &growth.stepped
	}
	counted.Add(1)

	poke64(g+gStackLo, c.lo)
	poke64(g+gStackHi, c.hi)
	poke64(g+gStackguard0, max(c.guard(), c.soft())) // may overwrite a preemption request, as copystack does
	casgstatus(g, gCopystack, gRunning)
	return over
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

// overflowAt is where, in the region's header, the kernel keeps where the last call
// that did not fit would have gone.
func (c *Coro) overflowAt() uintptr { return c.region.end() - RegionHeader + overflowSlot }

// overflow has g go on in overflowed, as if it had been called instead of the
// function that did not fit, with room in the reserve.
func (c *Coro) overflow(g uintptr) {
	poke64(c.overflowAt(), peek64(g+gSchedPC))
	poke64(g+gSchedPC, overflowPC)
	poke64(g+gSchedCtxt, 0)
	c.slideBelow(peek64(g+gSchedSP) - panicStep)
}

// stepOver lets the function go on that did not fit, in the reserve. No panic may
// begin there, but the next function outside the runtime is to panic: so the
// stack check stays where it was, and this function goes on behind its own. Not
// over: it has no check of a known form, and does it again, with a lower guard.
func (c *Coro) stepOver(g, registers uintptr) (over bool) {
	sp, hard := peek64(g+gSchedSP), c.guard()
	entry, ok := reload(peek64(g+gSchedPC), sp, registers)
	p, known := prologue{}, false
	if ok {
		p, known = prologueAt(entry)
	}
	if !known {
		if c.soft() == 0 {
			c.slideBelow(c.lo - retryStep)
		}
		c.setSoft(0)
		return false
	}
	soft := c.soft()
	if soft == 0 {
		soft = hard
	}
	if sp-p.need <= hard {
		c.slideBelow(sp - p.need - stackGuard - 1)
	}
	c.setSoft(soft)
	c.in = notEnterable
	poke64(g+gSchedPC, p.body)
	return true
}

// slideBelow moves the window down until it begins at lo or lower.
func (c *Coro) slideBelow(lo uintptr) {
	r, w, ok := c.Region(), extent{c.lo, c.hi}, true
	for w.lo > lo && ok {
		w, ok = r.slid(w, retryStep)
	}
	if !ok {
		throw("stackhop: coroutine stack overflow, and its reserve is used up")
	}
	c.setWindow(w)
	c.in = notEnterable // the next switch goes the slow way, which closes the reserve again
}

// panics reports whether a panic may begin where g wants to call a function that
// does not fit. Its caller must be code that expects panics, and so the function
// has to have a caller of its own: a deferred function, which the runtime calls,
// or the caller of which it is a closure, is to begin first, or it would never
// run. Functions of the runtime that such code calls have not begun.
func panics(g, m uintptr) bool {
	if peek32(m+mLocks) != 0 || peek32(m+mMallocing) != 0 || peek64(m+mPreemptoffLen) != 0 {
		return false
	}
	by, call := funcName(callerPC(g, peek64(g+gSchedSP))-1), funcName(peek64(g+gSchedPC))
	if !mayPanic(by) || !mayPanic(call) && !strings.HasPrefix(call, "runtime.") {
		return false
	}
	rest, inside := strings.CutPrefix(call, by)
	return !inside || !strings.HasPrefix(rest, ".func") && !strings.HasPrefix(rest, ".deferwrap")
}

func funcName(pc uintptr) string {
	if fn := runtime.FuncForPC(pc); fn != nil {
		return fn.Name()
	}
	return "runtime.unknown"
}

func mayPanic(name string) bool {
	for _, prefix := range noPanicIn {
		if strings.HasPrefix(name, prefix) {
			return false
		}
	}
	return true
}

// noPanicIn are packages whose functions do not expect that a call of theirs
// panics, or leave their own state or the runtime's in between; and what the
// compiler makes.
var noPanicIn = [...]string{
	"runtime.", "runtime/", "internal/runtime/", "internal/sync.", "internal/synctest.", "internal/poll.", "internal/godebug",
	"internal/syscall/", "internal/race.", "internal/singleflight.", "internal/weak.", "unique.", "weak.",
	"sync.", "sync/", "syscall.", "time.", "os.", "type:", "go:",
	"github.com/stackhop/stackhop.",
	"github.com/stackhop/stackhop/mmapstack.",
	"github.com/stackhop/stackhop/guard.",
	"github.com/stackhop/stackhop/resume.",
	"github.com/stackhop/stackhop/cancel.",
	"github.com/stackhop/stackhop/ctx.",
	"github.com/stackhop/stackhop/join.",
	"github.com/stackhop/stackhop/leaf.",
	"github.com/stackhop/stackhop/pull.",
	"github.com/stackhop/stackhop/sched.",
}

// overflowed is where a body goes on whose call did not fit.
func overflowed() {
	c := Current()
	r := c.Region()
	err := (*growth.overflow.Load())(Overflow{Region: r, PC: peek64(c.overflowAt()), Size: r.Top - r.Limit})
	panic(err)
}
