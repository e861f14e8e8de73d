package mmapstack

import "unsafe"

// addrOf returns where b begins. b is not empty.
func addrOf(b []byte) uintptr {
	// SAFETY(M3): the address is a number from here on, and b does not move:
	// it is mapped or static memory (M1), or Static is about to refuse it.
	return uintptr(unsafe.Pointer(unsafe.SliceData(b)))
}

// stackHint returns a number that is the same for calls from nearly the same
// depth of one goroutine, and different on other goroutines.
//
// nocheckptr: in an asan build the compiler would move the variable to the heap.
//
//go:nocheckptr
func stackHint() uintptr {
	var here byte
	// SAFETY(M3): only a number; nothing is kept of the variable.
	return uintptr(unsafe.Pointer(&here))
}
