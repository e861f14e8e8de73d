package ctx

import (
	"sync"
	"unsafe"

	"github.com/stackhop/stackhop/guard"
)

// nameTasks has package guard ask taskOn whose stack it is when a guard was
// touched.
var nameTasks = sync.OnceFunc(func() { guard.NameTasks(taskOn) })

// taskOn is a guard.Naming. SAFETY(T6): as a dump, but that a Task serves again
// meanwhile is no matter: the address is a number for people, and the name is that
// of one of its tasks.
//
// nosplit: see guard.Naming.
//
//go:nosplit
func taskOn(attached any) (name string, task uintptr, ok bool) {
	id, ok := attached.(*identity)
	if !ok {
		return "", 0, false
	}
	t := id.currentTask()
	if t == nil {
		return "", 0, true
	}
	return t.name(), uintptr(unsafe.Pointer(t)), true
}
