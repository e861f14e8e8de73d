package main

import (
	"cmp"
	"errors"
	"slices"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
)

// A sched runs tasks: the most urgent lane first, and in a lane by turns.
type sched struct {
	lanes [3]lane   // the most urgent first
	all   *ctx.Task // parent of all tasks
	err   error     // of the first task that failed
}

// A lane has the handles of those whose turn comes. It is the home of its
// tasks: whatever they wait for, they come back to it.
type lane []resume.Handle

func (l *lane) Publish(h resume.Handle) { *l = append(*l, h) }

// run has begin start the first tasks, and takes turns until nobody can go on
// or a task has failed. Tasks that are left are cancelled; that is an error.
func run(begin func(s *sched) error) error {
	s := new(sched)
	_, err := ctx.Spawn(func(t *ctx.Task) {
		s.all = t
		s.fail(begin(s))
		for s.err == nil {
			i := slices.IndexFunc(s.lanes[:], func(l lane) bool { return len(l) > 0 })
			if i < 0 {
				return
			}
			next := s.lanes[i][0]
			s.lanes[i] = s.lanes[i][1:]
			if err := next.Resume(); err != resume.ErrStale { // that was cancelled
				s.fail(err)
			}
		}
	}, ctx.WithOnEnd(s))
	return errors.Join(err, s.err)
}

// start has body begin in its turn.
func (s *sched) start(urgency int, body func(t *ctx.Task)) (*ctx.Task, error) {
	home := &s.lanes[urgency]
	return ctx.Spawn(func(t *ctx.Task) { turn(t); body(t) }, ctx.WithHome(home), ctx.WithOnEnd(s), ctx.WithParent(s.all))
}

// turn lets others go first that are as urgent as the current task.
func turn(t *ctx.Task) { t.SuspendTo(t.Home()) }

func (s *sched) fail(err error) { s.err = cmp.Or(s.err, err) }

// TaskEnded makes s the ctx.Ender of its tasks.
func (s *sched) TaskEnded(t *ctx.Task) (none resume.Handle) { s.fail(t.Err()); return }
