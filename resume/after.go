package resume

import "github.com/stackhop/stackhop/internal/release"

// after does what the body asked for when it parked. It runs on the resumer's
// side, which owns the slot until its word is stored (I4).
func (s *Slot) after() error {
	for {
		next, then, ended := s.settled()
		switch {
		case then != nil:
			return runAll([]sequence{{next, then}})
		case next == nil:
			return nil
		}
		parked, err := next.again() // a loop: a chain of ends needs one frame
		if err != nil {
			next.Untake()
			if !ended {
				return nil // who resumed the one that has parked is not concerned
			}
			return err
		}
		s = parked
	}
}

// settled does what the body asked for, and returns what is to be run next. ended
// reports whether the body has ended.
func (s *Slot) settled() (next *Slot, then Sequel, ended bool) {
	asked := s.post
	s.post = postYield
	switch asked {
	case postYield:
		return s.release(stateYielded), nil, false
	case postSuspend:
		if s.nested != 0 && s.postponed() {
			return nil, nil, false
		}
		return s.publish(), nil, false
	}
	next, then = s.ender.Ended()
	return next, then, true
}

// A sequence is a slot to be run and what comes after it.
type sequence struct {
	next *Slot
	then Sequel // nil: nothing
}

// runAll runs sequences, the last one first. When a slot ends, what its end leads to
// runs before the other sequences, and adds no frame. If a Publish panics, the rest is still
// run.
func runAll(todo []sequence) (err error) {
	defer func() {
		if len(todo) != 0 {
			_ = runAll(todo)
		}
	}()
	for len(todo) != 0 {
		top := &todo[len(todo)-1]
		next := top.next
		if top.next = nil; top.then != nil {
			top.next = top.then.Next() // before next runs, as the order is for two
		}
		if top.next == nil {
			todo = todo[:len(todo)-1]
		}
		if next == nil {
			continue
		}
		parked, refused := next.again()
		if refused != nil {
			next.Untake()
			err = refused
			continue
		}
		if first, then, _ := parked.settled(); first != nil || then != nil {
			todo = append(todo, sequence{first, then})
		}
	}
	return err
}

// RunAll runs what Ender.Ended has returned.
func RunAll(next *Slot, then Sequel) error {
	if then == nil {
		return Run(next)
	}
	return runAll([]sequence{{next, then}})
}

// publish arms the slot and hands out its handle, unless the task is to unwind: then
// it returns the slot that is to be run next. settleHandle has a copy of the most
// frequent part.
func (s *Slot) publish() (next *Slot) {
	if s.publisher != nil && (s.nested != 0 || s.probes()) {
		return s.publishOn(s.notes())
	}
	return s.publishOn(nil)
}

// publishOn is publish, by a call that is noted on a publication unless that is nil.
func (s *Slot) publishOn(on *publication) (next *Slot) {
	p := s.publisher
	s.publisher = nil
	s.gen += generation // I2
	h := Handle{s, s.gen + stateArmed}
	release.Store64(&s.word, h.word)
	if s.WasAsked() { // after the store: I5
		if taken, next := s.reclaim(h.word); taken {
			if on != nil {
				on.drop()
			}
			return next
		}
	}
	switch {
	case p == nil:
		panic("resume: Park with a nil Publisher: nobody could ever resume the task")
	case on != nil:
		on.call(p, h)
	default:
		p.Publish(h)
	}
	return nil
}
