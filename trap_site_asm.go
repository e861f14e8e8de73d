//go:build linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28

package stackhop

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"
)

// A site is a call that does not fit: the function called, and its caller.
type site struct {
	sp   uintptr // at the entry of the function that was called
	ctxt uintptr // its closure, 0 if it needs none
	ret  uintptr // where it returns to
	fp   uintptr // its caller's frame pointer
	top  uintptr // of the stack

	fn       symbol // that was called
	call, by string // its name and its caller's
}

// siteOf reads the call off g, which is in copystack. top is the end of its stack.
func siteOf(g, top uintptr) site {
	s := site{sp: peek64(g + gSchedSP), ctxt: peek64(g + gSchedCtxt), fp: peek64(g + gSchedBP), top: top}
	s.ret = callerPC(g, s.sp)
	s.fn = symbolAt(peek64(g + gSchedPC))
	s.call, _ = s.fn.nameAt(s.fn.entry())
	s.by, _ = symbolAt(s.ret - 1).nameAt(s.ret - 1)
	return s
}

// plain reports whether callInReserve may come between the function and its
// caller: the function does not look at that.
func (s *site) plain() bool {
	n := s.fn.args()
	return n >= 0 && n <= lendArgs && !s.registersDefer() && !s.runsDefers() && !s.unwinding() && !slices.Contains(asksCaller[:], s.call)
}

// asksCaller are further functions of the runtime that look up their return address and
// their caller's stack pointer, and act on them.
var asksCaller = [...]string{
	"runtime.newproc",         // what created the goroutine
	"runtime.(*_panic).start", // which call may recover, and where a Goexit goes on after a panic that was recovered
	"runtime.panicwrap",       // the name of a method without a receiver
}

func (s *site) registersDefer() bool {
	return strings.HasPrefix(s.call, "runtime.deferproc") || s.call == "runtime.deferrangefunc"
}

func (s *site) runsDefers() bool { return s.call == "runtime.deferreturn" }

func (s *site) unwinding() bool { return s.call == "runtime.gopanic" || s.call == "runtime.Goexit" }

// deferred reports whether the call is a deferred one, or may be: a panic in its
// place would lose it. Its caller tells. That is
//
//   - runtime.deferreturn, gopanic or Goexit;
//   - a function at its end, which makes the deferred calls itself (open-coded);
//   - a function that passes a call on, which the compiler has made, or package
//     reflect, and is deferred itself.
func (s *site) deferred() bool {
	entry, ctxt, ret, fp := s.fn.entry(), s.ctxt, s.ret, s.fp
	const most = 16 // functions that pass a call on, one within the other
	for range most {
		by := symbolAt(ret - 1)
		name, inlined := by.nameAt(ret - 1)
		switch {
		case by.fn == 0:
			return true
		case strings.HasPrefix(name, "reflect."):
			if s.openCoded(by, entry, ctxt, fp) {
				return true
			}
		case strings.HasPrefix(name, "runtime.call"): // call16 to call1073741824, of reflection
		case strings.HasPrefix(name, "runtime."):
			return true
		case inlined || by.funcID() != funcIDWrapper:
			return s.openCoded(by, entry, ctxt, fp)
		case strings.Contains(name, ".deferwrap"):
			return true
		}
		if fp < s.sp-8 || fp >= s.top-16 {
			return true
		}
		if by.entry() != lendPC {
			entry, ctxt = by.entry(), anyClosure
		}
		fp, ret = peek64(fp), peek64(fp+8)
	}
	return true
}

// anyClosure is the ctxt of a function that has begun: nobody knows its closure any more.
const anyClosure = 1

// funcIDWrapper is abi.FuncIDWrapper, the mark of what the compiler made to pass
// arguments on, and of callInReserve.
var funcIDWrapper uint8

// openCoded reports whether by, with frame pointer fp, is making the deferred
// call of the closure ctxt, or of the function at entry that needs no closure.
// by has cleared the call's bit, and those above, and the closure is still in its
// slot (ssagen.openDeferExit, panic.go initOpenCodedDefers, Go 1.25 to 1.27).
func (s *site) openCoded(by symbol, entry, ctxt, fp uintptr) bool {
	info := by.funcdata(funcdataOpenCodedDeferInfo)
	if info == 0 {
		return false
	}
	varp, ok := s.variables(fp)
	if !ok {
		return true
	}
	bitsAt, info := varint(info)
	slots, _ := varint(info)
	for i := uintptr(bits.Len8(peek8(varp - bitsAt))); i < 8; i++ {
		v := peek64(varp - slots + 8*i)
		readable := s.sp <= v && v < s.top || peek64(by.module+moduleText) <= v && v < peek64(by.module+moduleEnd)
		switch {
		case v == 0 || v%8 != 0:
		case v == ctxt, readable && peek64(v) == entry:
			return true
		case !readable && ctxt == anyClosure: // on the heap, if this is a slot
			return true
		}
	}
	return false
}

// findSite finds what deferred needs to know, and tries it on two calls of one
// function, of which the second is deferred.
func findSite() error {
	funcIDWrapper = symbolAt(callInReservePC()).funcID()
	if funcIDWrapper == 0 {
		return &discoveryError{"funcID of callInReserve", "a wrapper's", "0"}
	}
	const tries = 3 // the stack may move
	var got [2]bool
	for range tries {
		n := 0
		deferring(func() {
			got[n] = isDeferred()
			n++
		})
		if !got[0] && got[1] {
			return nil
		}
	}
	return &discoveryError{"whether a call is a deferred one", "no, yes", fmt.Sprint(got)}
}

// deferring calls ask, and then again, deferred.
//
//go:noinline
func deferring(ask func()) {
	defer ask()
	ask()
}

// isDeferred reports whether its caller's caller has made a deferred call of its caller.
//
//go:noinline
func isDeferred() bool {
	fp := framePointer() // of this function
	caller := peek64(fp)
	s := site{sp: fp, top: peek64(getg() + gStackHi), fn: symbolAt(peek64(fp+8) - 1)}
	return s.openCoded(symbolAt(peek64(caller+8)-1), s.fn.entry(), 0, peek64(caller))
}
