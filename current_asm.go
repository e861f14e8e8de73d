//go:build linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28

package stackhop

import "unsafe"

// coroAt turns the address in a region's header, or in the frame of nativeBase,
// back into the pointer it was. SAFETY(K3): mainLoop's frame or nativeBase's
// argument, on the very stack the caller runs on, keeps the object alive, and Go
// does not move heap objects.
//
//go:nocheckptr
func coroAt(p uintptr) *Coro { return *(**Coro)(unsafe.Pointer(&p)) }

// copyLabels copies g.labels. SAFETY(K1): the field is a pointer of both
// objects, and this store of a pointer type has its write barrier.
//
//go:nocheckptr
func copyLabels(to, from uintptr) {
	dst, src := to+gLabels, from+gLabels
	p, q := *(**unsafe.Pointer)(unsafe.Pointer(&dst)), *(**unsafe.Pointer)(unsafe.Pointer(&src))
	if *p != *q { // mostly nil both
		*p = *q
	}
}

// flagAt is the byte flag at a discovered address. SAFETY(K2): it lies in the
// runtime's data, which is never moved or freed.
//
//go:nocheckptr
func flagAt(addr uintptr) *uint8 { return *(**uint8)(unsafe.Pointer(&addr)) }
