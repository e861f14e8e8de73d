package guard

import "unsafe"

// hide answers fn, without the compiler's knowing: so the closure that Grow is
// given stays on its caller's stack.
//
// SAFETY(G1): the caller's frame, parked, holds what fn refers to as long as the
// result is used.
//
//go:nocheckptr
func hide(fn func()) func() {
	//lint:ignore SA4016 the compiler must not see that it is the same value
	p := *(*uintptr)(unsafe.Pointer(&fn)) ^ 0
	return *(*func())(unsafe.Pointer(&p))
}
