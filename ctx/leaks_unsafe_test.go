package ctx_test

import (
	"unsafe"

	"github.com/stackhop/stackhop/ctx"
)

// A hidden task is one that this variable does not refer to.
type hidden uintptr

// SAFETY(T6): a task that is suspended keeps itself alive, and does not move.
func hide(t *ctx.Task) hidden { return ^hidden(uintptr(unsafe.Pointer(t))) }

//go:nocheckptr
func (h hidden) task() *ctx.Task {
	addr := ^uintptr(h)
	return *(**ctx.Task)(unsafe.Pointer(&addr))
}
