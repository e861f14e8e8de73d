package main

import (
	"container/heap"
	"errors"
	"time"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
)

// A sim is a world with a clock of its own. Its processes are tasks; what they
// wait for is in the agenda.
type sim struct {
	now    time.Duration // since the world began
	events int
	agenda agenda
	serial int
	world  *ctx.Task // parent of all processes
	err    error     // why the world ended early
}

// simulate has begin start the first processes, and runs the world until the
// given time, or until nothing will happen any more. Processes that are left
// then are cancelled: their deferred calls run at that time.
func simulate(until time.Duration, begin func(s *sim) error) (*sim, error) {
	s := new(sim)
	world, err := ctx.Spawn(func(t *ctx.Task) {
		s.world = t
		if err := begin(s); err != nil {
			s.err = err
		}
		s.run(until)
	}, ctx.WithName("world"))
	if err != nil {
		return nil, err
	}
	return s, errors.Join(s.err, world.Err())
}

// run is the scheduler: take the next event, move the clock, resume.
func (s *sim) run(until time.Duration) {
	for s.err == nil && len(s.agenda) != 0 && s.agenda[0].at <= until {
		e := heap.Pop(&s.agenda).(event)
		s.now = e.at
		switch err := e.process.Resume(); {
		case err == nil:
			s.events++
		case !errors.Is(err, resume.ErrStale): // that had another event before this one
			s.err = err
		}
	}
	s.now = until
}

// start begins a process, now.
func (s *sim) start(body func()) error {
	_, err := ctx.Spawn(func(*ctx.Task) { body() }, ctx.WithParent(s.world), ctx.WithOnEnd(s))
	return err
}

// TaskEnded ends the world when a process has panicked.
func (s *sim) TaskEnded(t *ctx.Task) (none resume.Handle) {
	var bug *ctx.PanicError
	if errors.As(t.Err(), &bug) && s.err == nil {
		s.err = bug
	}
	return none
}

// wait lets d pass for the process that calls it, from any depth of calls.
func (s *sim) wait(d time.Duration) {
	ctx.Suspend(func(process resume.Handle) { s.after(d, process) })
}

// after puts a resume into the agenda.
func (s *sim) after(d time.Duration, process resume.Handle) {
	s.serial++
	heap.Push(&s.agenda, event{s.now + d, s.serial, process})
}
