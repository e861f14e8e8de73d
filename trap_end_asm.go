//go:build linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28

package stackhop

import "strings"

// A call that does not fit at the end of a region goes one of four ways:
//
//	overflow   A panic begins in its place. The rest of this list is for calls that no panic may replace.
//	lend       The call is made with a part of the reserve, by callInReserve, which
//	           takes that part back when the call returns.
//	pass       The call goes on behind its own stack check, with just enough of the
//	           reserve; the guard of the calls that follow stays where it was.
//	widen      The window moves into the reserve, and the call is made again.
//
// So code that is neither the library's nor the runtime's does not run on in the
// reserve. A guard that is higher than the window's lower end demands is not enough for
// that: the scheduler derives stackguard0 from the window each time that it runs a
// goroutine. lend restores both, whatever happened in between.

const (
	// lendArgs is how many bytes of arguments on the stack, spill area included,
	// callInReserve can pass on.
	lendArgs = 256

	// lendFrame is at least what callInReserve needs of the stack.
	lendFrame = lendArgs + 64

	// panicLeast is the least room, in bytes, in which a panic is begun.
	panicLeast = 6 << 10

	// smallFrame is how far below its guard a function may be (internal/abi.StackSmall), and
	// its return address.
	smallFrame = 128 + 8
)

// The frame of callInReserve, in trap_*.s, is lendArgs and 40 bytes, on arm64 and 8 more for LR.
const _ = -(lendArgs ^ 256)

// An ender decides how a goroutine goes on after a call that does not fit at the end
// of its region.
type ender struct {
	site
	c         *Coro
	g         uintptr
	registers uintptr // room for the arguments
	free      bool    // the runtime would allow a panic
	inside    bool    // a callInReserve has not returned
}

// atEnd decides how g goes on after a call that does not fit at the end of c's region.
// over says that the function's arguments are to be in registers.
func (c *Coro) atEnd(g, m, registers uintptr) (over bool) {
	e := ender{siteOf(g, c.region.end()), c, g, registers,
		peek32(m+mLocks) == 0 && peek32(m+mMallocing) == 0 && peek64(m+mPreemptoffLen) == 0, false}
	e.inside = c.lends(e.sp)
	unwinds := peek64(g+gPanic) != 0
	if !unwinds {
		c.setState(c.softGuard(), false) // whatever panic has opened the reserve, it was recovered
	}
	deferred := e.deferred()
	switch {
	case (unwinds && !c.unwinds() || e.unwinding()) && c.widen(e.sp-panicStep, panicStep+retryStep):
		// A panic of the body's own, or a Goexit: its deferred calls need room as
		// those of an overflow do.
		c.setState(0, true)
		growth.stepped.Add(1)
		return false
	case e.free && !deferred && e.mayPanic() && e.overflow():
		return false
	}
	least := uintptr(0) // of the reserve that has to be left
	if deferred || e.trespasses() {
		least = max(panicStep, (c.limitGuard()-stackGuard-c.region.lo)/2)
	}
	over, ok := e.step(least)
	if !ok && e.free && !e.runsDefers() && e.overflow() {
		growth.forced.Add(1) // better to lose the call than the process
		return false
	}
	if !ok && least != 0 {
		over, ok = e.step(0)
	}
	if !ok {
		throw("stackhop: coroutine stack overflow, and its reserve is used up: by deferred calls, or by code that ran on after an overflow was recovered, without guard.Rearm")
	}
	growth.stepped.Add(1)
	return over
}

// lends reports whether what has the stack pointer sp was called within a call that
// callInReserve makes. The frame of that has the address of lentSlot in it, as long as it lives.
func (c *Coro) lends(sp uintptr) bool {
	at := c.header() + lentSlot
	lent := peek64(at)
	return lent > sp && lent < c.region.end() && peek64(lent+lendArgs+8*isArm64) == at
}

// mayPanic reports whether a panic may replace the call, which is no deferred one:
//
//   - Ordinary code expects a panic from any call. Code of noPanicIn expects one from a
//     callback, which it calls indirectly.
//   - A function of the runtime that does not fit has not begun.
//   - Those of the other packages of noPanicIn often undo something, such as
//     Unlock. They are made, unless their caller is in the reserve itself.
func (e *ender) mayPanic() bool {
	by := e.ordinary(e.ret, e.fp)
	if mayPanic(e.call) {
		return by || !mayPanic(e.by) && !calls(e.ret, e.fn.entry())
	}
	return by && e.plain() && (strings.HasPrefix(e.call, "runtime.") || e.inside || e.sp < e.c.limitGuard()-smallFrame)
}

// ordinary reports whether the function that a call returns to at ret, with the
// frame pointer fp, is ordinary code: outside noPanicIn, and no part of a function
// within, which has inlined it or called it by its name.
func (e *ender) ordinary(ret, fp uintptr) bool {
	const most = 16 // frames
	for range most {
		fn := symbolAt(ret - 1)
		if name, inlined := fn.nameAt(ret - 1); !mayPanic(name) {
			return false
		} else if inlined {
			if name, _ = fn.nameAt(fn.entry()); !mayPanic(name) {
				return false
			}
		}
		if fp < e.sp-8 || fp >= e.top-16 {
			return true
		}
		fp, ret = peek64(fp), peek64(fp+8)
		if name, _ := symbolAt(ret - 1).nameAt(ret - 1); !mayPanic(name) {
			return !calls(ret, fn.entry())
		}
	}
	return true
}

// trespasses reports whether the innermost ordinary function is in the reserve.
func (e *ender) trespasses() bool {
	const most = 64 // frames
	ret, fp := e.ret, e.fp
	for range most {
		if e.ordinary(ret, fp) {
			return fp < e.c.limitGuard()-16
		}
		if fp < e.sp-8 || fp >= e.top-16 {
			return false
		}
		fp, ret = peek64(fp), peek64(fp+8)
	}
	return false
}

// limitGuard is stackguard0 of the widest window that is above the reserve.
func (c *Coro) limitGuard() uintptr {
	return c.region.lo + uintptr(c.region.limit)*RegionAlign + stackGuard
}

// step makes the call that did not fit, in the reserve. ok is false if less than least
// bytes of the reserve would be left.
func (e *ender) step(least uintptr) (over, ok bool) {
	c := e.c
	p, known := prologueAt(e.fn.entry())
	guard := max(c.guard(), c.softGuard())
	if !e.plain() {
		if known {
			_, known = reload(peek64(e.g+gSchedPC), e.sp, e.registers)
		}
		if !known {
			c.setState(0, c.unwinds())
			return false, c.widen(c.lo-retryStep, least)
		}
		if !c.widen(e.sp-p.need-stackGuard-RegionAlign, least) {
			return false, false
		}
		c.setState(guard, c.unwinds())
		poke64(e.g+gSchedPC, p.body)
		return true, true
	}

	// The window and the guard afterwards: those of now, if the call is part of one
	// that has the reserve already. Otherwise the guard is that of the limit, even if
	// the caller has come below it, and the window begins as high as the caller allows.
	back := c.lo
	if !e.inside && !c.unwinds() {
		limit := c.limitGuard() - stackGuard
		back = max(c.region.lo, min(limit, (e.sp-stackGuard)&^(RegionAlign-1)))
		guard = limit + stackGuard
	}
	lo := e.sp - lendFrame - p.need - stackGuard - RegionAlign
	if !c.widen(lo-retryStep, least) && !c.widen(lo, least) {
		return false, false
	}
	c.setState(0, c.unwinds())
	h := c.header()
	poke64(h+callSlot, peek64(e.g+gSchedPC)|(uintptr(e.fn.args())+7)&^7<<48)
	poke64(h+backSlot, back)
	poke64(h+guardSlot, guard)
	poke64(e.g+gSchedPC, lendPC)
	return false, true
}

// overflow lets the goroutine go on in overflowed, with room in the reserve, as if it
// had called overflowed instead of the function that did not fit. It reports false if
// the reserve has no room.
func (e *ender) overflow() bool {
	c := e.c
	if !c.widen(max(c.region.lo, e.sp-panicStep), 0) || e.sp-c.lo < panicLeast {
		return false
	}
	c.setState(0, true)
	poke64(c.header()+overflowSlot, peek64(e.g+gSchedPC))
	poke64(e.g+gSchedPC, overflowPC)
	poke64(e.g+gSchedCtxt, 0)
	growth.overflowed.Add(1)
	return true
}

// widen moves the window down until it begins at lo or lower. It reports false,
// with nothing done, if less than least bytes of the reserve were left then.
func (c *Coro) widen(lo, least uintptr) bool {
	lo &^= RegionAlign - 1
	if lo >= c.lo {
		return true
	}
	if lo < c.region.lo+least {
		return false
	}
	c.lo, c.hi = lo, c.hi-(c.lo-lo)
	c.in = notEnterable // the next switch goes the slow way, which closes the reserve again
	return true
}

// header is the address of the region's header.
func (c *Coro) header() uintptr { return c.region.end() - RegionHeader }

// setState stores the soft guard and the unwinds flag in the header of a region that grows.
//
//   - The soft guard is stackguard0 where that is higher than the guard of the
//     window, a multiple of RegionAlign. 0: the guard is that of the window.
//   - unwinds: a panic, or a Goexit, may use the reserve down to the window's end.
func (c *Coro) setState(soft uintptr, unwinds bool) {
	if unwinds {
		soft |= 1
	}
	poke64(c.header()+stateSlot, soft)
}

func (c *Coro) softGuard() uintptr { return peek64(c.header()+stateSlot) &^ 1 }
func (c *Coro) unwinds() bool      { return peek64(c.header()+stateSlot)&1 != 0 }

func mayPanic(name string) bool {
	for _, prefix := range noPanicIn {
		if strings.HasPrefix(name, prefix) {
			return false
		}
	}
	return true
}

// noPanicIn are prefixes of functions that do not expect a panic from the functions that
// they call, or that have left their own state or the runtime's inconsistent then. The
// compiler's generated functions are among them.
var noPanicIn = [...]string{
	"runtime.", "runtime/", "internal/runtime/", "internal/sync.", "internal/synctest.", "internal/poll.", "internal/godebug",
	"internal/syscall/", "internal/race.", "internal/singleflight.", "internal/weak.", "unique.", "weak.",
	"sync.", "sync/", "syscall.", "time.", "os.", "context.", "type:", "go:",
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
