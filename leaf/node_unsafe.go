package leaf

import (
	"unsafe"

	"github.com/stackhop/stackhop/ctx"
)

// A taskKey tells tasks apart without keeping them: a primitive that remembers
// who waited at it must not make a lost task look as if it could be found.
type taskKey uintptr

// keyOf returns the key of t, 0 if it is nil. SAFETY(W6): it is compared and never
// made a pointer again. A task that has the same address later has the same key,
// which is why one that has ended uses no node.
func keyOf(t *ctx.Task) taskKey { return taskKey(unsafe.Pointer(t)) }

// cellOf returns the cell that n is the head of. SAFETY(W7): the nodes of a
// Chan[T] are all made by its take, as heads of a cell[T].
func cellOf[T any](n *node) *cell[T] { return (*cell[T])(unsafe.Pointer(n)) }
