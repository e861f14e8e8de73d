package ctx

import (
	"unsafe"

	"github.com/stackhop/stackhop/mmapstack"
)

// addressOf is a number that stays the stack's.
func addressOf(stack *mmapstack.Stack) uint64 {
	// SAFETY(T1): it only says which lock to take; and Go does not move heap objects.
	return uint64(uintptr(unsafe.Pointer(stack)))
}

// stackHint returns a number that is the same for calls from nearly the same depth
// of one goroutine, and different on other goroutines.
//
// nocheckptr: in an asan build the compiler would move the variable to the heap.
//
//go:nocheckptr
func stackHint() uintptr {
	var here byte
	// SAFETY(T1): only a number; nothing is kept of the variable.
	return uintptr(unsafe.Pointer(&here))
}
