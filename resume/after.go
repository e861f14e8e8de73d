package resume

import "github.com/stackhop/stackhop/internal/release"

// after does what the body asked for when it parked. It runs on the resumer's
// side, which owns the slot until its word is stored (I4).
func (s *Slot) after() error {
	for {
		asked := s.post
		s.post = postYield
		var next *Slot
		switch asked {
		case postYield:
			next = s.release(stateYielded)
		case postSuspend:
			next = s.publish()
		default:
			next = s.ender.Ended()
		}
		if next == nil {
			return nil
		}
		parked, err := next.again() // a loop: a chain of ends needs one frame
		if err != nil {
			next.Untake()
			if asked != postEnd {
				return nil // who resumed the one that has parked is not concerned
			}
			return err
		}
		s = parked
	}
}

// publish arms the slot and hands out its handle, unless the task is to unwind: then
// it answers who is to be run next.
func (s *Slot) publish() (next *Slot) {
	p := s.publisher
	s.publisher = nil
	s.gen += generation // I2
	h := Handle{s, s.gen + stateArmed}
	release.Store64(&s.word, h.word)
	if s.WasAsked() { // after the store: I5
		if taken, next := s.reclaim(h.word); taken {
			return next
		}
	}
	if p == nil {
		panic("resume: Park with a nil Publisher: nobody could ever resume the task")
	}
	p.Publish(h)
	return nil
}
