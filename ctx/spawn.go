package ctx

import (
	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/resume"
)

// Spawn runs body as a new task, on the calling goroutine, until it first
// suspends or ends, and returns the task then.
//
// The task is the caller's: it has to be resumed until it is done. A task that is
// dropped while suspended keeps its stack for ever.
//
// Errors: ErrNilBody, *OptionError, ErrStackInUse, and those of
// mmapstack.Pool.Get. The body has not begun then.
func Spawn(body func(t *Task), opts ...Option) (*Task, error) {
	return spawnBy(body, opts, prepare, start)
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

func start(t *Task) (*Task, error) { return startBy(t, (*resume.Slot).Run, notStarted) }

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
	if id.coro.Done() { // new, or a Goexit ended it
		if err := id.coro.Reset(id.serve); err != nil {
			id.release()
			return nil, err
		}
	}
	return id.assign(body, set.name), nil
}

// assign makes the identity's next task: the last one, if it is free (T2).
func (id *identity) assign(body func(*Task), name string) *Task {
	t := id.last
	if t == nil || !t.slot.Reusable() {
		t = new(Task)
		id.last = t
	}
	t.id, t.body, t.name, t.err = id, body, name, nil
	id.task = t
	id.coro.InheritLabels()
	t.slot.Begin(id.coro, id)
	return t
}

// notStarted gives back what a task was to run on. A task that could not start
// because the caller is in a testing/synctest bubble starts on a coroutine of
// the bubble's own.
//
//go:noinline
func notStarted(t *Task, err error) (*Task, error) {
	id := t.id
	id.task, id.last = nil, nil
	id.release()
	if err != stackhop.ErrBubble || id.once {
		return nil, err
	}
	if id, err = inBubble(id); err != nil {
		return nil, err
	}
	return start(id.assign(t.body, t.name))
}
