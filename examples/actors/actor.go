package main

import (
	"errors"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
)

var (
	errNoAnswer = errors.New("actors: the question was not answered")
	errStopped  = errors.New("actors: the actor has been stopped")
)

// A system runs actors, one at a time, on the goroutine that calls run.
type system struct {
	ready []resume.Handle
}

// run delivers messages until every actor waits for one.
func (s *system) run() error {
	for len(s.ready) > 0 {
		next := s.ready[0]
		s.ready = s.ready[1:]
		if err := next.Resume(); err != nil && !errors.Is(err, resume.ErrStale) { // that was stopped
			return err
		}
	}
	return nil
}

// An actor is a mailbox, and a task that takes messages from it. The task may
// fail and be replaced; the mailbox, and so the address, stays.
type actor struct {
	name     string
	behave   func(a *actor)
	sys      *system
	parent   *actor
	children []*actor
	task     *ctx.Task
	mailbox  []any
	waits    resume.Handle // for a message
	handling any           // the last message
	stopped  bool          // nobody will take messages any more
}

// A down message tells an actor's parent that the task has ended.
type down struct {
	child *actor
	err   error
}

// actor makes an actor without a parent.
func (s *system) actor(name string, behave func(a *actor)) *actor {
	return &actor{name: name, behave: behave, sys: s}
}

// adopt makes child a's child. It is for a's behaviour to start it.
func (a *actor) adopt(child *actor) {
	if child.parent == nil {
		child.parent = a
		a.children = append(a.children, child)
	}
}

// start runs the actor up to its first wait. It may be started again when its
// task has ended.
func (a *actor) start() (err error) {
	a.stopped = false
	opts := []ctx.Option{ctx.WithName(a.name), ctx.WithOnEnd(a)}
	if a.parent != nil {
		opts = append(opts, ctx.WithParent(a.parent.task))
	}
	_, err = ctx.Spawn(func(t *ctx.Task) {
		a.task = t
		a.behave(a)
	}, opts...)
	return err
}

// TaskEnded is called when the behaviour has returned, panicked or been stopped.
func (a *actor) TaskEnded(t *ctx.Task) (none resume.Handle) {
	if q, ok := a.handling.(*question); ok {
		q.reply(nil, errors.Join(errNoAnswer, t.Err()))
	}
	a.handling = nil
	if a.parent == nil {
		a.close()
		return none
	}
	a.parent.tell(down{a, t.Err()})
	return none
}

// stop ends an actor and all below it, for good: deferred calls run now, those of
// children first.
func (a *actor) stop(cause error) error {
	a.close()
	return a.task.Cancel(cause)
}

// close closes the mailboxes of a and all below it. Questions in them are
// answered by an error.
func (a *actor) close() {
	for _, child := range a.children {
		child.close()
	}
	a.stopped = true
	for _, m := range a.mailbox {
		refuse(m)
	}
	a.mailbox = nil
}

func refuse(message any) {
	if q, ok := message.(*question); ok {
		q.reply(nil, errStopped)
	}
}

// tell puts a message into the mailbox and goes on. Who is told by tell runs
// later: two actors that tell each other things need no stack for it.
func (a *actor) tell(message any) {
	if a.stopped {
		refuse(message)
		return
	}
	a.mailbox = append(a.mailbox, message)
	a.sys.wake(&a.waits)
}

// receive takes the next message, and waits until there is one. The actor
// itself calls it, from any depth.
func (a *actor) receive() any {
	a.handling = nil
	if len(a.mailbox) == 0 {
		a.task.Suspend(func(h resume.Handle) { a.waits = h })
	}
	a.handling, a.mailbox = a.mailbox[0], a.mailbox[1:]
	return a.handling
}

// wake has run continue what is suspended under h, if anything is.
func (s *system) wake(h *resume.Handle) {
	if h.Live() {
		s.ready = append(s.ready, *h)
		*h = resume.Handle{}
	}
}

// A question is a message that wants an answer.
type question struct {
	value    any
	sys      *system
	asker    resume.Handle
	answered bool
	answer   any
	err      error
}

// ask tells a question and waits for the answer. It can be called by an actor,
// which is suspended, and outside, where it runs the system.
func (a *actor) ask(value any) (any, error) {
	q := &question{value: value, sys: a.sys, err: errNoAnswer}
	a.tell(q)
	if ctx.Current() == nil {
		if err := a.sys.run(); err != nil {
			return nil, err
		}
	} else if !q.answered {
		ctx.Suspend(func(h resume.Handle) { q.asker = h })
	}
	return q.answer, q.err
}

// reply answers; only the first answer counts.
func (q *question) reply(answer any, err error) {
	if !q.answered {
		q.answered, q.answer, q.err = true, answer, err
		q.sys.wake(&q.asker)
	}
}
