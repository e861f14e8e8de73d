package ctx

import (
	"sync/atomic"
	"unsafe"
)

// currentTask is the identity's task for others than its owner, who see all that
// was written before setTask.
//
// nosplit: taskOn may run on the signal stack.
//
//go:nosplit
func (id *identity) currentTask() *Task {
	// SAFETY(T6): a *Task is an unsafe.Pointer to a Task.
	return (*Task)(atomic.LoadPointer((*unsafe.Pointer)(unsafe.Pointer(&id.task))))
}
