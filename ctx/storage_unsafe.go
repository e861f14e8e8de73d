package ctx

import (
	"unsafe"

	"github.com/stackhop/stackhop/mmapstack"
)

// addressOf is a number that stays the stack's. SAFETY: it is hashed only, and Go does
// not move heap objects.
func addressOf(stack *mmapstack.Stack) uint64 { return uint64(uintptr(unsafe.Pointer(stack))) }
