package sched

import (
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
)

// An item is what a scheduler has queued: a handle to resume, or a call.
type item struct {
	h    resume.Handle
	call call // if not nil
}

// A call is what else can be queued. The types that implement it are as big as a
// pointer, so that an item of them allocates nothing.
type call interface{ run(o owner) }

// An owner is what a call runs on: a Loop, or a worker of a Pool.
type owner interface {
	home() resume.Publisher // of tasks that are started
	ctx.Ender
	notStarted(err error)
}

// A plain call is a function of the user.
type plain func()

func (f plain) run(owner) { f() }

// A start is the body of a task that has not begun.
type start func(t *ctx.Task)

func (body start) run(o owner) {
	if _, err := ctx.Spawn(body, ctx.WithHome(o.home()), ctx.WithOnEnd(o)); err != nil {
		o.notStarted(err)
	}
}

// A startWith is a start with options.
type startWith struct {
	body func(t *ctx.Task)
	opts []ctx.Option
}

func (s *startWith) run(o owner) {
	opts := append(s.opts, ctx.WithHome(o.home()), ctx.WithOnEnd(o))
	if _, err := ctx.Spawn(s.body, opts...); err != nil {
		o.notStarted(err)
	}
}

// starts reports whether it is the start of a task.
func (it *item) starts() bool {
	if it.call == nil {
		return false
	}
	_, is := it.call.(plain)
	return !is
}

// newStart makes the call that starts a task.
func newStart(body func(t *ctx.Task), opts []ctx.Option) (call, error) {
	switch {
	case body == nil:
		return nil, ctx.ErrNilBody
	case len(opts) == 0:
		return start(body), nil
	}
	return &startWith{body, append([]ctx.Option(nil), opts...)}, nil
}

// A Refusal is a queued handle that could not be resumed on its scheduler,
// and why: stackhop.ErrBubble, resume.ErrThreadLocked. When it was made, the
// handle was live.
type Refusal struct {
	Handle resume.Handle
	Err    error
}

// Stats are counts since a scheduler was made, and its state at the moment.
type Stats struct {
	Ran     uint64 // items whose turn has come, of whatever kind
	Stale   uint64 // of them, handles that somebody else had used up
	Refused uint64 // of them, handles that could not be resumed: see Refusal
	Stolen  uint64 // items that one worker took from another

	Tasks  int // started by Go, queued or not ended
	Queued int // items whose turn has not come
	Timers int // of a Loop: timers and sleeping tasks
	Parked int // of a Pool: workers with nothing to do
}
