package ctx

import (
	"unsafe"

	"github.com/stackhop/stackhop"
)

// of is the identity of a coroutine that serve runs on. SAFETY(T8): that is the first
// field of one.
func of(c *stackhop.Coro) *identity { return (*identity)(unsafe.Pointer(c)) }
