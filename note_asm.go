//go:build linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28

package stackhop

import (
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// faults is what trapHandler tells of faults that are not the trap's.
var faults struct {
	describe func(addr uintptr, text *[NoteSize]byte) int
	busy     atomic.Uint32 // somebody has text
	text     [NoteSize]byte
}

// noteFaultPC is noteFault as Go code calls it.
//
//lint:ignore U1000 the assembly calls it
var noteFaultPC uintptr

// NoteFaults has describe asked, once EnableGrowth has put its handler in front,
// about each fault of Go code that is to end the process. What it puts into text
// goes to standard error, before the handler behind ours is called: the runtime's
// names the address, and nobody knows what for. It answers how many bytes that is,
// 0 for an address of which it knows nothing. A second NoteFaults replaces it.
//
// describe runs on the signal stack, in the middle of anything, on a thread that
// runs a goroutine: so the collector does not free what is reachable when it
// begins. It and all that it calls must be marked go:nosplit, take no lock,
// allocate nothing, and store no pointer.
func NoteFaults(describe func(addr uintptr, text *[NoteSize]byte) int) {
	growth.Lock()
	defer growth.Unlock()
	faults.describe = describe
	// SAFETY(K2): a func value is a pointer to a pointer to code.
	entry := noteFault
	noteFaultPC = **(**uintptr)(unsafe.Pointer(&entry))
}

// noteFault is called by trapHandler, with the interrupted g for the current one.
//
// nosplit: SP is on the signal stack, and does not belong to g.
//
//go:nosplit
func noteFault(addr uintptr) {
	if !faults.busy.CompareAndSwap(0, 1) {
		return
	}
	if n := faults.describe(addr, &faults.text); n > 0 {
		// SAFETY(K1): the kernel reads n bytes of a package variable.
		_, _, _ = syscall.RawSyscall(unix.SYS_WRITE, 2, uintptr(unsafe.Pointer(&faults.text)), uintptr(n))
	}
	faults.busy.Store(0)
}
