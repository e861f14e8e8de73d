package cancel

import "github.com/stackhop/stackhop"

// A Canceller is what a coroutine's Local must be for Here to find the task.
type Canceller interface {
	// CancelHere unwinds the current task if it was asked to end.
	CancelHere()
}

// Here unwinds the current task at once if it was asked to end: its deferred
// calls run, and Here does not return. Otherwise, and outside a task, it does
// nothing. It is for bodies that compute for long without suspending.
func Here() {
	c := stackhop.Current()
	if c == nil {
		return
	}
	if t, ok := c.Local().(Canceller); ok {
		t.CancelHere()
	}
}
