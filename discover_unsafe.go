//go:build linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28

package stackhop

// These routines, in discover_*.s, are the only ones that read the runtime's memory
// for discovery. They are assembly because the checks that the compiler adds to
// conversions to pointers (checkptr) don't allow for memory that is not the
// reader's, and because nothing preempts them.

// A self is the state of the current goroutine and of its thread at one moment.
type self struct {
	g, m, curg, g0  uintptr
	sp, lo, hi, top uintptr // the stack pointer, g.stack, g.stktopsp
	lockedm         uintptr
	lockedExt       uint32
	lockedInt       uint32
	g0Lo, g0Guard   uintptr // g0.stack.lo, g0.stackguard0
	goid, bubble    uintptr
	status          uint32
}

// readSelf fills s. No field is older than another: no goroutine is preempted, no
// stack moved in the middle of it.
//
//go:noescape
func readSelf(s *self)

// SAFETY(K1): g and m are read through constants of the release's layout file.
// SAFETY(K2): nothing that these return is used before its check.

// peek8, peek32 and peek64 return what is at addr. A bad address is a fault,
// which guarded turns into an error.
func peek8(addr uintptr) uint8
func peek32(addr uintptr) uint32
func peek64(addr uintptr) uintptr

// peekText copies the n bytes of machine code at pc.
func peekText(pc uintptr, n int) []byte {
	text := make([]byte, n)
	for i := range text {
		text[i] = peek8(pc + uintptr(i))
	}
	return text
}
