package resume

import "github.com/stackhop/stackhop/internal/release"

// after does what the body asked for when it parked. It runs on the resumer's
// side, which owns the slot until its word is stored (I4).
func (s *Slot) after() error {
	for {
		asked := s.post
		s.post = postYield
		switch asked {
		case postYield:
			s.give(stateYielded)
			return nil
		case postSuspend:
			s.publish()
			return nil
		}
		next := s.ender.Ended()
		if next == nil {
			return nil
		}
		parked, err := next.again() // a loop: a chain of ends needs one frame
		if err != nil {
			next.Untake()
			return err
		}
		s = parked
	}
}

// publish arms the slot and hands out its handle, unless the task is to unwind.
func (s *Slot) publish() {
	p := s.publisher
	s.publisher = nil
	s.gen += generation // I2
	h := Handle{s, s.gen + stateArmed}
	release.Store64(&s.word, h.word)
	if s.WasAsked() && s.reclaim(h.word) { // as in give
		return
	}
	if p == nil {
		panic("resume: Park with a nil Publisher: nobody could ever resume the task")
	}
	p.Publish(h)
}
