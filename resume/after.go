package resume

import "github.com/stackhop/stackhop/internal/release"

// after does what the body asked for when it parked. It runs on the resumer's
// side, which owns the slot until its word is stored (I4).
func (s *Slot) after() error {
	for {
		next, ended := s.settled()
		if next == nil {
			return nil
		}
		if next.link != nil {
			return runAll(next)
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

// settled does what the body asked for, and returns the slots to be run next. ended
// reports whether the body has ended.
func (s *Slot) settled() (next *Slot, ended bool) {
	asked := s.post
	s.post = postYield
	switch asked {
	case postYield:
		return s.release(stateYielded), false
	case postSuspend:
		if s.nested != 0 && s.postponed() {
			return nil, false
		}
		return s.publish(), false
	}
	return s.ender.Ended(), true
}

// runAll runs a list of slots, one after another. What the end of one of them leads
// to has its turn before those behind it, and adds no frame. If a Publish panics, the
// rest is still run.
func runAll(list *Slot) (err error) {
	defer func() {
		if list != nil {
			_ = runAll(list)
		}
	}()
	for list != nil {
		next := list
		list, next.link = next.link, nil
		parked, refused := next.again()
		if refused != nil {
			next.Untake()
			err = refused
			continue
		}
		if first, _ := parked.settled(); first != nil {
			list = first.Then(list)
		}
	}
	return err
}

// Then adds a list of slots, to be run after those of the list s, and returns s.
func (s *Slot) Then(list *Slot) *Slot {
	last := s
	for last.link != nil {
		last = last.link
	}
	last.link = list
	return s
}

// publish arms the slot and hands out its handle, unless the task is to unwind: then
// it returns the slot that is to be run next. settleHandle has a copy of the most
// frequent part.
func (s *Slot) publish() (next *Slot) {
	p := s.publisher
	s.publisher = nil
	var on *publication
	if p != nil && (s.nested != 0 || s.probes()) {
		on = s.notes()
	}
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
