package sched

import (
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
)

// A waiter is a call that waits for a side. See S1 and S3.
type waiter struct {
	side       *side
	task       resume.Handle
	goroutine  chan struct{} // made once; in use if the call is not a task's
	blocks     bool          // the call is not a task's
	front      bool          // it has owned the side, and goes to the head of the line
	state      waiterState
	err        error // how the wait ended
	next, prev *waiter
}

type waiterState uint8

const (
	waitApart   waiterState = iota // not in line yet
	waitInLine                     //
	waitGranted                    // out of line, and owns the side
	waitFailed                     // out of line, with err
)

// A wake is what is to go on: one of three. A task that is cancelled before its
// turn has passed on what it had.
type wake struct {
	task      resume.Handle
	goroutine chan struct{} // of a waiter that blocks
	call      func()
}

func (w *waiter) wake() wake {
	if w.blocks {
		return wake{goroutine: w.goroutine}
	}
	return wake{task: w.task}
}

// park suspends the task. desc.mu is held before and after, but not meanwhile.
// If the task is cancelled, the deferred call leaves the side as if the task had
// never come.
func (w *waiter) park(t *ctx.Task) (err error) {
	d := w.side.desc
	d.mu.Unlock()
	cancelled := true
	defer func() {
		d.mu.Lock()
		if cancelled {
			w.abandon()
			d.mu.Unlock()
		}
	}()
	err = d.net.park(t, w)
	cancelled = false
	return err
}

// Publish is called when the task is parked. By then it may be cancelled, and w
// somebody else's (S3).
func (w *waiter) Publish(h resume.Handle) {
	d := w.side.desc
	d.mu.Lock()
	if h.Live() {
		w.task = h
		w.line()
	}
	d.mu.Unlock()
}

// block is park for a plain goroutine.
func (w *waiter) block() {
	d := w.side.desc
	if w.goroutine == nil {
		w.goroutine = make(chan struct{}, 1)
	}
	w.blocks = true
	w.line()
	d.mu.Unlock()
	<-w.goroutine
	d.mu.Lock()
}

// line puts a waiter in line, unless there is no need to wait any more.
func (w *waiter) line() {
	s := w.side
	if w.front {
		s.owned = false
	}
	if err := s.check(); err != nil {
		w.fail(err)
		return
	}
	w.state = waitInLine
	if w.front {
		s.linkFirst(w)
	} else {
		s.linkFinal(w)
	}
	if granted, ok := s.dispatch(); ok {
		s.desc.net.post(granted)
	}
}

// fail ends the wait of a waiter that is not in line any more.
func (w *waiter) fail(err error) {
	w.state, w.err = waitFailed, err
	w.side.desc.net.post(w.wake())
}

// abandon undoes a wait whose call does not go on: it leaves the line, and
// passes on what it owns.
func (w *waiter) abandon() {
	s := w.side
	switch {
	case w.state == waitInLine:
		s.unlink(w)
	case w.state == waitGranted, w.state == waitApart && w.front:
		s.release()
	}
	s.freeWaiter(w)
}

func (s *side) newWaiter(front bool) *waiter {
	w := s.idle
	if w == nil {
		w = &waiter{side: s}
	} else {
		s.idle = w.next
	}
	w.next, w.front, w.blocks, w.state, w.err = nil, front, false, waitApart, nil
	return w
}

func (s *side) freeWaiter(w *waiter) {
	w.task = resume.Handle{}
	w.next = s.idle
	s.idle = w
}

func (s *side) linkFirst(w *waiter) {
	w.prev, w.next = nil, s.first
	if s.first == nil {
		s.final = w
	} else {
		s.first.prev = w
	}
	s.first = w
}

func (s *side) linkFinal(w *waiter) {
	w.prev, w.next = s.final, nil
	if s.final == nil {
		s.first = w
	} else {
		s.final.next = w
	}
	s.final = w
}

func (s *side) unlink(w *waiter) {
	if w.prev == nil {
		s.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		s.final = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.prev, w.next = nil, nil
}
