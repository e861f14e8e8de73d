package ctx

import (
	"fmt"
	"sync/atomic"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/mmapstack"
	"github.com/stackhop/stackhop/resume"
)

// A Task is one run of a body on a stack of its own. Its methods are either the
// body's (Yield, Suspend) or its owner's (Resume, Free); Done, Err and
// String are anybody's.
//
// Programs have it by the million: what few tasks need is in extras.
type Task struct {
	slot resume.Slot // first: so it costs Resume nothing to find, see resume.enter. Flag: there is a home
	id   *identity   // nil once done
	body func(*Task) // until it begins
	err  error       // valid once done
	ext  atomic.Pointer[extras]
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
// uses it, once. publish may resume h itself: the task goes on at once, and a task
// that does so in a loop needs no stack for it, see resume.Publisher. It must not
// suspend the task that it runs on. If it panics, the panic is the resumer's, and the
// task stays suspended under h.
//
// If the task is cancelled, Suspend does not return: the deferred calls run, as
// after runtime.Goexit. In these it panics with cancel.ErrUnwinding.
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

// Park is SuspendTo for leaf primitives, which report what cannot be done:
// cancel.ErrUnwinding if the task is being cancelled already, and a
// *stackhop.ThreadLockError. Nothing has happened then, and p was not called.
//
// If the task is cancelled while parked, Park does not return: what it must
// tidy up belongs into a deferred call, or into p's Abandon if p is a
// resume.Abandoner. p.Publish may find, then or at any time, that its handle is
// stale; and if the cancel came before, it is not called at all.
func (t *Task) Park(p resume.Publisher) error { return parkBy(t, p, (*resume.Slot).Park, comeHome) }

// parkBy is inlined, for the reason that resume.enter tells.
func parkBy(t *Task, p resume.Publisher, park func(*resume.Slot, resume.Publisher) error, comeHome func(*Task, resume.Publisher) error) error {
	if err := park(&t.slot, p); err != nil || !t.slot.Flag {
		return err
	}
	return comeHome(t, p)
}

// comeHome parks once more. It is refused only if nothing can be done about
// that: then the task goes on here. A cancel is still one of the wait for p.
//
//go:noinline
func comeHome(t *Task, p resume.Publisher) error {
	_ = t.slot.ParkAs(t.Home(), p)
	return nil
}

// SetHome has the task, whenever what it waited for in Park has come, park
// once more: home gets that handle, and decides where the task goes on. So a
// scheduler keeps its tasks, whoever resumes them. nil takes the home away. It is
// the body's to call. Suspend, SuspendTo and Yield do not go home.
func (t *Task) SetHome(home resume.Publisher) { setHomeBy(t, home, (*Task).extend) }

// setHomeBy is inlined, like parkBy: a scheduler's task that yields does not go home.
func setHomeBy(t *Task, home resume.Publisher, extend func(*Task) *extras) {
	x := t.ext.Load()
	if x == nil {
		x = extend(t)
	}
	x.home, t.slot.Flag = home, home != nil
}

// Home returns what SetHome or WithHome has set. It is the body's to call.
func (t *Task) Home() resume.Publisher {
	if x := t.ext.Load(); x != nil {
		return x.home
	}
	return nil
}

// Yield parks the task and goes back to whoever resumed it. The owner's Resume
// continues it. Only the body may call Yield; it panics as Suspend does.
func (t *Task) Yield() { t.slot.Yield() }

// TransferTo is h.TransferTo(p) for the current task t, without the look-up: it
// suspends t, under a handle that p gets or, if that is nil, into its owner's hands,
// and runs the task of h in its place.
func (t *Task) TransferTo(h resume.Handle, p resume.Publisher) error { return t.slot.Transfer(h, p) }

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

// Err returns how a done task ended: nil, a *PanicError, a *CancelError, or
// ErrGoexit. Of a task that was asked to end, and has not yet, it returns the
// *CancelError that it will end with unless it returns first; of others nil.
func (t *Task) Err() error {
	switch {
	case t.slot.Done():
		return t.err
	case t.slot.WasAsked():
		return t.askedWith()
	}
	return nil
}

// Stack returns the stack that a task, not yet done, runs on, or nil if it is
// one of the runtime's.
func (t *Task) Stack() *mmapstack.Stack {
	if id := t.id; id != nil {
		return id.stack
	}
	return nil
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
	if name := t.name(); name != "" {
		return fmt.Sprintf("task %q: %s", name, t.slot.State())
	}
	return fmt.Sprintf("task %p: %s", t, t.slot.State())
}
