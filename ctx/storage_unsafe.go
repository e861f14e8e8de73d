package ctx

import (
	"unsafe"

	"github.com/stackhop/stackhop/mmapstack"
)

// addressOf is a number that is the stack's as long as there is that. SAFETY: it is
// hashed only; and Go does not move heap objects.
func addressOf(stack *mmapstack.Stack) uint64 { return uint64(uintptr(unsafe.Pointer(stack))) }
