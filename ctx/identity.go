package ctx

import (
	"runtime/debug"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/mmapstack"
	"github.com/stackhop/stackhop/resume"
)

// An identity is a coroutine that runs tasks, one after another. Between them
// it is parked on its stack and belongs to whoever keeps the stack (T1).
type identity struct {
	coro  *stackhop.Coro
	task  *Task            // that runs on it now
	last  *Task            // that ran on it last, and serves again once it is free (T2)
	stack *mmapstack.Stack // nil: one of the runtime
	pool  *mmapstack.Pool  // where stack came from; nil: from the caller, or none
	serve func(*stackhop.Coro)
	once  bool // ends with its task
	quit  bool // serve returns instead of running a task
	busy  bool // a task is on the caller's stack; guarded by callers
}

// newIdentity makes a coroutine on stack, or on a stack of the runtime.
func newIdentity(stack *mmapstack.Stack, once bool) (*identity, error) {
	id := &identity{stack: stack, once: once}
	var r stackhop.Region
	if stack != nil {
		r = stack.Region()
	}
	id.serve = id.serveAll
	var first func(*stackhop.Coro) // Spawn gives it serve, again and again
	if once {
		first = id.serveOne
	}
	c, err := stackhop.New(r, first)
	if err != nil {
		return nil, err
	}
	c.SetLocal(id)
	id.coro = c
	return id, nil
}

// Slot is what resume finds the current task by.
func (id *identity) Slot() *resume.Slot {
	if id.task == nil {
		return nil
	}
	return &id.task.slot
}

// serveAll is the body of the coroutine: a task, a pause, the next task. It is
// one frame all its life, and no second switch is needed between two tasks.
func (id *identity) serveAll(c *stackhop.Coro) {
	for !id.quit {
		id.runTask()
		debug.SetPanicOnFault(false) // one task's, not the next's
		if c.TrySwitch() != nil {
			id.keptLocked(c.UnlockThread())
			c.Switch()
		}
	}
}

// serveOne is the body of a coroutine that ends with its task.
func (id *identity) serveOne(c *stackhop.Coro) {
	id.runTask()
	id.keptLocked(c.UnlockThread())
}

// keptLocked ends the task with err, if it left its thread locked and had no
// other error.
func (id *identity) keptLocked(err error) {
	if err != nil && id.task.err == nil {
		id.task.err = &PanicError{Task: id.task.name, Value: err, Stack: debug.Stack()}
	}
}

// runTask runs the body to its end, however that comes. After a Goexit it does
// not return.
func (id *identity) runTask() {
	t := id.task
	returned := false
	defer func() {
		if !returned {
			id.aborted(recover())
		}
		t.slot.End()
	}()
	t.body(t)
	returned = true
}

// aborted notes why the body did not return. The frames that panicked are
// still below.
func (id *identity) aborted(v any) {
	t := id.task
	if v != nil {
		t.err = &PanicError{Task: t.name, Value: v, Stack: debug.Stack()}
		return
	}
	t.err = ErrGoexit // the kernel unlocks the thread
}

// Ended is called on the resumer's side when the task's frames are gone.
func (id *identity) Ended() {
	t := id.task
	id.task, t.id, t.body = nil, nil, nil
	if t.err != nil {
		id.last = nil // else what it panicked with would be kept
	}
	id.release() // T3
	t.slot.Finish()
}

// Vacate ends an idle coroutine, so that its stack is nobody's. mmapstack calls
// it before the memory goes away.
func (id *identity) Vacate() error {
	if id.task != nil {
		return ErrStackInUse
	}
	if !id.coro.Done() {
		id.quit = true
		if err := id.coro.TrySwitch(); err != nil {
			id.quit = false
			return err
		}
	}
	id.last = nil
	return id.coro.Close()
}
