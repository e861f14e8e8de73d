//go:build linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28

package stackhop

import (
	"fmt"
	"runtime"
)

// check holds what readSelf read against what must be so on any goroutine that
// runs. It fails if a field of the layout is not where it is thought to be.
func (s *self) check(goid uintptr) error {
	locks := s.lockedExt + s.lockedInt
	return checks("the current goroutine", []rule{
		{"g.m", s.m != 0, "a thread", s.m},
		{"m.curg", s.curg == s.g, fmt.Sprintf("%#x, the current g", s.g), s.curg},
		{"g.atomicstatus", s.status&^gScan == gRunning, fmt.Sprint(gRunning), uintptr(s.status)},
		{"g.goid", s.goid == goid && goid != 0, fmt.Sprintf("%#x", goid), s.goid},
		{"g.stack.lo", s.lo < s.sp, fmt.Sprintf("less than sp %#x", s.sp), s.lo},
		{"g.stktopsp", s.sp < s.top && s.top <= s.hi, fmt.Sprintf("in (%#x, %#x]", s.sp, s.hi), s.top},
		{"g.lockedm", s.lockedm == 0 && locks == 0 || s.lockedm == s.m && locks != 0,
			fmt.Sprintf("0 or m, with m.lockedExt+lockedInt %d", locks), s.lockedm},
		{"m.g0", s.g0 != 0 && s.g0 != s.g, "another g", s.g0},
		{"m.g0.stackguard0", s.g0Guard-s.g0Lo == runtimeStackGuard,
			fmt.Sprintf("%#x, stack.lo + %d", s.g0Lo+runtimeStackGuard, runtimeStackGuard), s.g0Guard},
	})
}

// A parked is the state of a coroutine that somebody has switched away from.
type parked struct {
	sp, pc, ctxt, lr, bp uintptr // g.sched
	lo, hi, top          uintptr // g.stack, g.stktopsp
	m, lockedm           uintptr
	gopc, goid, bubble   uintptr
	start                uintptr // g.startpc
	status               uint32
	reason               uint8
}

// readParked reads the coroutine g. The garbage collector may scan and even move
// its stack at the same time, and marks the status meanwhile; so it reads until
// nobody was there.
func readParked(g uintptr) (parked, error) {
	const tries = 10_000
	for range tries {
		if p := peekParked(g); p.status&gScan == 0 && p == peekParked(g) {
			return p, nil
		}
		runtime.Gosched()
	}
	return parked{}, &discoveryError{"coroutine parked in iter.Pull", "one that stands still", "changes on every look"}
}

// peekParked reads g once.
//
// SAFETY(K1): g is a coroutine's, which its iter.Pull keeps from ending; each
// offset is of the release's layout file.
func peekParked(g uintptr) parked {
	return parked{
		sp: peek64(g + gSchedSP), pc: peek64(g + gSchedPC), ctxt: peek64(g + gSchedCtxt),
		lr: peek64(g + gSchedLR), bp: peek64(g + gSchedBP),
		lo: peek64(g + gStackLo), hi: peek64(g + gStackHi), top: peek64(g + gStktopsp),
		m: peek64(g + gM), lockedm: peek64(g + gLockedm),
		gopc: peek64(g + gGopc), goid: peek64(g + gGoid), bubble: peek64(g + gBubble),
		start:  peek64(g + gStartpc),
		status: peek32(g + gAtomicstatus),
		reason: peek8(g + gWaitreason),
	}
}

// check holds p against what coroswitch must have left. bubble is its maker's.
func (p *parked) check(bubble uintptr) error {
	return checks("a coroutine parked in iter.Pull", []rule{
		{"g.atomicstatus", p.status == gWaiting, fmt.Sprint(gWaiting), uintptr(p.status)},
		{"g.waitreason", p.reason == waitReasonCoroutine, fmt.Sprintf("%#x", waitReasonCoroutine), uintptr(p.reason)},
		{"g.m", p.m == 0, "0", p.m},
		{"g.lockedm", p.lockedm == 0, "0", p.lockedm},
		{"g.goid", p.goid != 0, "an id", p.goid},
		{"g.bubble", p.bubble == bubble, fmt.Sprintf("%#x, its maker's", bubble), p.bubble},
		{"g.sched.sp", p.lo < p.sp && p.sp < p.hi, fmt.Sprintf("in (%#x, %#x)", p.lo, p.hi), p.sp},
		{"g.sched.bp", p.lo < p.bp && p.bp < p.hi, fmt.Sprintf("in (%#x, %#x)", p.lo, p.hi), p.bp},
		{"g.stktopsp", p.sp < p.top && p.top <= p.hi, fmt.Sprintf("in (%#x, %#x]", p.sp, p.hi), p.top},
		{"g.sched.ctxt", p.ctxt == 0, "0", p.ctxt},
		{"g.sched.lr", p.lr == 0, "0", p.lr},
	})
}

// A rule is one thing that must hold of a field.
type rule struct {
	field string
	holds bool
	want  string
	got   uintptr
}

// checks returns nil, or an error for the first of rules that doesn't hold of
// subject.
func checks(subject string, rules []rule) error {
	for _, r := range rules {
		if !r.holds {
			return &discoveryError{r.field + " of " + subject, r.want, fmt.Sprintf("%#x", r.got)}
		}
	}
	return nil
}
