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
