package ctx

import (
	"fmt"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/resume"
)

// A Task is one run of a body on a stack of its own. Its methods are either the
// body's (Yield, Suspend) or its owner's (Resume, Free); Done, Err and
// String are anybody's.
type Task struct {
	slot resume.Slot // first: so it costs Resume nothing to find, see resume.enter
	id   *identity   // nil once done
	body func(*Task)
	err  error // valid once done
	name string
}

// Current returns the task whose body, at whatever depth, calls it, or nil.
func Current() *Task {
	c := stackhop.Current()
	if c == nil {
		return nil
	}
	id, _ := c.Local().(*identity)
	if id == nil {
		return nil
	}
	return id.task
}

// Suspend suspends the current task, as Task.Suspend does. It panics outside
// a task.
func Suspend(publish func(h resume.Handle)) {
	t := Current()
	if t == nil {
		panic("ctx: Suspend outside a task: call it in what Spawn runs")
	}
	t.Suspend(publish)
}

// Suspend parks the task and goes back to whoever resumed it, where
// publish(h) is called before anything else. h continues the task, whoever
// uses it, once. publish may resume h itself: the task goes on at once. If
// publish panics, the panic is the resumer's, and the task stays suspended
// under h.
//
// A publish that captures variables is allocated; SuspendTo is the same without.
//
// Only the body may call Suspend. It panics if the task cannot be parked: with a
// *stackhop.ThreadLockError if the body has locked its OS thread.
func (t *Task) Suspend(publish func(h resume.Handle)) {
	if publish == nil {
		panic("ctx: Suspend with a nil publish: nobody could ever resume the task")
	}
	t.slot.Suspend(resume.PublishFunc(publish))
}

// SuspendTo is Suspend with p.Publish for publish. If p is a pointer to what
// exists already, such as the lock that is waited for, nothing is allocated.
func (t *Task) SuspendTo(p resume.Publisher) {
	if p == nil {
		panic("ctx: SuspendTo with a nil Publisher: nobody could ever resume the task")
	}
	t.slot.Suspend(p)
}

// Yield parks the task and goes back to whoever resumed it. The owner's Resume
// continues it. Only the body may call Yield; it panics as Suspend does.
func (t *Task) Yield() { t.slot.Yield() }

// Resume is the owner's end of Yield: it runs the task on the calling goroutine
// until it suspends or ends, and returns nil then. Err tells how it ended.
//
// Errors: ErrDone; ErrRunning, also for the loser of two simultaneous calls;
// ErrNotYielded if the task is suspended under a handle; ErrThreadLocked if
// the switch cannot be made; stackhop.ErrBubble in a testing/synctest bubble
// that the task does not belong to.
func (t *Task) Resume() error { return t.slot.Resume() }

// Done reports whether the task has ended.
func (t *Task) Done() bool { return t.slot.Done() }

// Err returns how a done task ended: nil, a *PanicError, or ErrGoexit. Of
// others it returns nil.
func (t *Task) Err() error {
	if !t.slot.Done() {
		return nil
	}
	return t.err
}

// Free says that the owner needs a done task no more: a later Spawn may return
// the same *Task. Nobody may use t after it, but handles of it may be kept: they
// are stale for ever. Free is optional; without it the task is garbage like any
// other. Only memory is at stake: the stack went back at the end of the task.
//
// Errors: ErrNotDone; ErrDone if t is free already, unless it serves again.
func (t *Task) Free() error { return t.slot.Free() }

// String returns the task's name and state.
func (t *Task) String() string {
	if t.name == "" {
		return fmt.Sprintf("task %p: %s", t, t.slot.State())
	}
	return fmt.Sprintf("task %q: %s", t.name, t.slot.State())
}
