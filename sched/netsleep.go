package sched

import (
	"slices"
	"time"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
)

// Sleep suspends the current task t for the time d, and Run continues it. If d
// is not positive, it returns at once. It allocates nothing.
//
// Errors: resume.ErrNotOnTask; ErrNetClosed, at once when the Net is closed;
// those of ctx.Task.Park.
func (n *Net) Sleep(t *ctx.Task, d time.Duration) error {
	switch {
	case t == nil:
		return resume.ErrNotOnTask
	case d <= 0:
		return nil
	}
	if err := n.open(); err != nil {
		return err
	}
	s := n.newSleep(n.clock.after(d))
	defer s.free() // also if the task is cancelled
	if err := n.park(t, s); err != nil {
		return err
	}
	return n.open()
}

// A sleep is a wait of one task for a time. It belongs to its Net for ever.
type sleep struct {
	net   *Net
	when  int64
	timer timer
	next  *sleep // while idle
}

// endSleeps is called with n.mu held.
func (n *Net) endSleeps() {
	for _, t := range slices.Clone(n.timers) {
		if t.side == nil {
			n.disarm(t)
			n.wakes = append(n.wakes, wake{task: t.task})
		}
	}
}

func (n *Net) newSleep(when int64) *sleep {
	n.mu.Lock()
	s := n.sleeps
	if s == nil {
		s = &sleep{net: n}
	} else {
		n.sleeps = s.next
	}
	n.mu.Unlock()
	s.when = when
	return s
}

func (s *sleep) free() {
	n := s.net
	n.mu.Lock()
	n.disarm(&s.timer)
	s.timer.task = resume.Handle{}
	s.next, n.sleeps = n.sleeps, s
	n.mu.Unlock()
}

// Publish sets the timer. If the task was cancelled meanwhile, s may be
// another's already.
func (s *sleep) Publish(h resume.Handle) {
	n := s.net
	n.mu.Lock()
	switch {
	case !h.Live():
		n.mu.Unlock()
	case n.closed:
		n.mu.Unlock()
		n.post(wake{task: h})
	default:
		s.timer.task = h
		n.armAndUnlock(&s.timer, s.when)
	}
}
