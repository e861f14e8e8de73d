//go:build !amd64 || !linux || race

package ctx

import (
	"sync/atomic"
	"unsafe"
)

// setTask makes t the identity's task.
func (id *identity) setTask(t *Task) {
	// SAFETY(T6): a *Task is an unsafe.Pointer to a Task.
	atomic.StorePointer((*unsafe.Pointer)(unsafe.Pointer(&id.task)), unsafe.Pointer(t))
}
