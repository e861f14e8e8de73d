package sched

import (
	"net"
	"os"

	"github.com/stackhop/stackhop/ctx"
)

// A side is one direction of a descriptor: who uses it, who waits for it, and
// whether a system call on it has a prospect. One caller at a time owns it; the
// others wait in line, and so does an owner that has found nothing to do:
//
//	      enter                 nothing there: await
//	free ───────▶ owned ─────────────────────────────▶ free, the caller first in line
//	 ▲  ◀─ leave ── │ ▲                                            │
//	 └──────────────┘ └──────────── dispatch: ready ───────────────┘
//
//	S1  All fields are guarded by desc.mu.
//	S2  Whenever desc.mu is free, a side that is ready and not owned has no line.
//	S3  A waiter belongs to its side for ever, and to one call at a time, from
//	    newWaiter to freeWaiter.
type side struct {
	desc    *desc
	owned   bool
	ready   bool // the next system call may find something
	odd     bool // a call that got little is no sign that there is no more
	expired bool // the deadline has passed
	run     int  // calls that did not wait, in a row

	first, final *waiter // the line
	idle         *waiter
	own          waiter // the line is seldom longer

	deadline int64 // on the Net's clock; 0: none
	armed    int64 // when timer fires, as far as SetDeadline knows; 0: never
	timer    timer
}

func (s *side) init(d *desc) {
	s.desc = d
	s.ready = true
	s.own.side = s
	s.idle = &s.own
	s.timer.side = s
}

// maxRun is how many calls on one side may succeed without a wait before their
// task lets the loop serve the others.
const maxRun = 128

// enter waits until the caller owns the side. With a nil error, desc.mu is held.
func (s *side) enter() error {
	d := s.desc
	d.mu.Lock()
	if s.run++; s.run > maxRun {
		s.run = 0
		d.mu.Unlock()
		d.net.giveWay()
		d.mu.Lock()
	}
	err := s.check()
	switch {
	case err != nil:
	case !s.owned && s.first == nil:
		s.owned = true
		return nil
	default:
		if err = s.wait(false); err == nil {
			return s.stillGood()
		}
	}
	d.mu.Unlock()
	return err
}

// await is called by the owner, who holds desc.mu. It returns at once if the
// side is ready, else when it is, and is the caller's again. With an error, the
// caller neither owns the side nor holds desc.mu.
func (s *side) await() error {
	for {
		if err := s.stillGood(); err != nil || s.ready {
			return err
		}
		if err := s.wait(true); err != nil {
			s.desc.mu.Unlock()
			return err
		}
	}
}

// stillGood gives up an owned side if there is an error.
func (s *side) stillGood() error {
	err := s.check()
	if err != nil {
		s.leave()
	}
	return err
}

// check returns why a call on this side must fail.
func (s *side) check() error {
	switch {
	case s.desc.closed:
		return net.ErrClosed
	case s.expired:
		return os.ErrDeadlineExceeded
	}
	return nil
}

// begin is the owner's last act before a system call: it lets go of desc.mu. An
// edge that comes from now on is noted.
func (s *side) begin() {
	s.ready = false
	s.desc.calls++
	s.desc.mu.Unlock()
}

// end takes desc.mu again. The call has found nothing, or the last there was, or
// else another one may find more.
func (s *side) end(nothing, last bool) {
	d := s.desc
	d.mu.Lock()
	if !nothing && (!last || s.odd) {
		s.ready = true
	}
	d.called()
}

// leave ends ownership and unlocks desc.mu.
func (s *side) leave() {
	s.release()
	s.desc.mu.Unlock()
}

func (s *side) release() {
	s.owned = false
	if w, ok := s.dispatch(); ok {
		s.desc.net.post(w)
	}
}

// dispatch gives a side that is ready to whoever is first in line.
func (s *side) dispatch() (wake, bool) {
	w := s.first
	if w == nil || s.owned || !s.ready {
		return wake{}, false
	}
	s.unlink(w)
	s.owned = true
	w.state = waitGranted
	return w.wake(), true
}

// fail ends all waits with err.
func (s *side) fail(err error) {
	for w := s.first; w != nil; w = s.first {
		s.unlink(w)
		w.fail(err)
	}
}

// wait waits in line until the side is the caller's. desc.mu is held before and
// after. front says that the caller owns the side; with an error, it does not
// any more.
func (s *side) wait(front bool) (err error) {
	s.run = 0
	w := s.newWaiter(front)
	if t := ctx.Current(); t != nil {
		err = w.park(t)
	} else {
		w.block()
	}
	if err != nil {
		w.abandon()
		return err
	}
	err = w.err
	s.freeWaiter(w)
	return err
}
