package ctx

import (
	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/resume"
)

// Spawn runs body as a new task, on the calling goroutine, until it first
// suspends or ends, and returns the task then.
//
// The task is the caller's: it has to be resumed until it is done, or cancelled.
// A task that is dropped while suspended keeps its stack for ever. That it has
// failed, even before Spawn returns, only its Err tells, and who is named by
// WithOnEnd: a panic that nobody asks for is silent.
//
// Errors: ErrNilBody, *OptionError, ErrStackInUse, those of mmapstack.Pool.Get,
// and a *CancelError if the parent or the context of the options has been
// cancelled. The body has not begun then.
func Spawn(body func(t *Task), opts ...Option) (*Task, error) {
	return spawnBy(body, opts, prepare, (*Task).start)
}

// spawnBy and startBy are inlined into Spawn's caller, and given what they
// call, for the reason that resume.enter tells: what returns after a switch is
// mispredicted.
func spawnBy(body func(*Task), opts []Option,
	prepare func(func(*Task), []Option) (*Task, error), start func(*Task) (*Task, error)) (t *Task, err error) {
	if t, err = prepare(body, opts); err == nil {
		return start(t)
	}
	return
}

func (t *Task) start() (*Task, error) { return startBy(t, (*resume.Slot).Run, notStarted) }

func startBy(t *Task, run func(*resume.Slot) error, notStarted func(*Task, error) (*Task, error)) (*Task, error) {
	if err := run(&t.slot); err != nil {
		return notStarted(t, err)
	}
	return t, nil
}

// prepare makes a task that is ready to run.
//
//go:noinline
func prepare(body func(*Task), opts []Option) (*Task, error) {
	if body == nil {
		return nil, ErrNilBody
	}
	var set settings
	if len(opts) != 0 {
		if err := set.apply(opts); err != nil {
			return nil, err
		}
	}
	id, err := acquire(&set)
	if err != nil {
		return nil, err
	}
	if id.coro.Done() { // new, or a panic or Goexit ended it
		if err := id.reset(); err != nil {
			id.release()
			return nil, err
		}
	}
	t := id.assign(body, &set)
	if set.parent != nil || set.context != nil {
		if err := t.relate(&set); err != nil {
			return nil, err
		}
	}
	id.setTask(t)
	return t, nil
}

// assign makes the identity's next task: the last one, if it is free (T2).
func (id *identity) assign(body func(*Task), set *settings) *Task {
	t := id.spare()
	if t == nil || !t.servesAgain(set) {
		t = newTask(set)
		id.last = t
	}
	t.id, t.body, t.err = id, body, nil
	id.coro.InheritLabels()
	t.slot.Begin(&id.coro, id)
	return t
}

// servesAgain reports whether t can be the next task. Then its extras are that one's,
// as the options say.
func (t *Task) servesAgain(set *settings) bool {
	if !t.slot.Reusable() {
		return false
	}
	x := t.ext.Load()
	switch {
	case x == nil && !set.extras:
		return true
	case x == nil:
		x = t.extend()
	case x.node.Busy():
		return false
	}
	x.node.Begin()
	if x.more.Load() != nil {
		x.more.Store(nil)
	}
	if x.waits.Load() != nil {
		x.waits.Store(nil)
	}
	t.give(x, set)
	return true
}

// adopt makes t, which could not start elsewhere, the identity's task.
func (id *identity) adopt(t *Task) {
	t.id, id.last = id, t
	id.noteStart()
	id.setTask(t)
	id.coro.InheritLabels()
	t.slot.Move(&id.coro, id)
}

// New makes a task whose body begins at the first Resume. Options and errors
// are those of Spawn. Cancelling it before that frees it, and the body never
// runs.
func New(body func(t *Task), opts ...Option) (*Task, error) {
	t, err := prepare(body, opts)
	if err != nil {
		return nil, err
	}
	if id := t.id; stackhop.InBubble() && id.kind != once { // what notStarted finds out at the start
		id.setTask(nil)
		id.last = nil
		id.release()
		if id, err = inBubble(id); err != nil {
			t.unrelate()
			t.slot.Finish()
			return nil, err
		}
		id.adopt(t)
	}
	t.slot.Hold()
	return t, nil
}

// notStarted gives back what a task was to run on. A task that could not start
// because the caller is in a testing/synctest bubble starts on a coroutine of
// the bubble's own.
//
//go:noinline
func notStarted(t *Task, err error) (*Task, error) {
	id := t.id
	id.setTask(nil)
	id.last = nil
	if err != stackhop.ErrBubble || id.kind == once {
		t.unrelate()
		if id.kind == once {
			_ = id.coro.Close() // its goroutine would stay
		}
		id.release()
		t.slot.Finish()
		return nil, err
	}
	id.release()
	if id, err = inBubble(id); err != nil {
		t.unrelate()
		t.slot.Finish()
		return nil, err
	}
	id.adopt(t)
	return t.start()
}
