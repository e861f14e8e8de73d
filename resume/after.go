package resume

import "sync/atomic"

// after does what the body asked for when it parked. It runs on the resumer's
// side, which owns the slot until its word is stored (I4).
func (s *Slot) after() error {
	for {
		asked := s.post
		s.post = postYield
		switch asked {
		case postYield:
			s.set(stateYielded)
			return nil
		case postSuspend:
			s.publish()
			return nil
		case postEnd:
			s.ender.Ended()
			return nil
		}
		next, err := s.relay()
		if next == nil {
			return err
		}
		s = next // a loop: a chain of transfers needs one frame
	}
}

// publish arms the slot and hands out its handle.
func (s *Slot) publish() {
	p := s.publisher
	s.publisher = nil
	p.Publish(s.arm())
}

// arm opens the next generation (I2).
func (s *Slot) arm() Handle {
	word := s.age() + generation + stateArmed
	storeRelease(&s.word, word)
	return Handle{s, word}
}

// relay gives s up and runs its target. It returns the slot whose body has
// parked, or an error if none could be run.
func (s *Slot) relay() (*Slot, error) {
	to := s.target
	s.target = nil
	word := s.age() + stateYielded
	if s.publisher == nil {
		s.set(stateYielded)
	} else {
		word += generation + stateArmed - stateYielded
		s.publishOr(to)
	}
	err := to.coro.TrySwitch()
	if err == nil {
		return to, nil
	}
	// Not run: to becomes live again, and s is told, if nobody has taken it yet.
	to.set(stateArmed)
	if !atomic.CompareAndSwapUint64(&s.word, word, word-1) {
		return nil, err
	}
	s.failure = err
	if err := s.coro.TrySwitch(); err != nil {
		s.failure = nil
		storeRelease(&s.word, word)
		return nil, err
	}
	return s, nil
}

// publishOr publishes s. If that panics, to is given back.
func (s *Slot) publishOr(to *Slot) {
	published := false
	defer func() {
		if !published {
			to.set(stateArmed)
		}
	}()
	s.publish()
	published = true
}
