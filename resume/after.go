package resume

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
	s.gen += generation
	h := Handle{s, s.gen + stateArmed}
	storeRelease(&s.word, h.word)
	return h
}

// relay gives s up and runs its target. It returns the slot whose body has
// parked, or why the target, which is live again, could not be run.
func (s *Slot) relay() (*Slot, error) {
	to := s.target
	s.target = Handle{}
	if s.publisher == nil {
		s.set(stateYielded)
	} else {
		s.publishOr(to)
	}
	if err := to.slot.coro.TrySwitch(); err != nil {
		to.unclaim()
		return nil, err
	}
	return to.slot, nil
}

// publishOr publishes s. If that panics, to is given back.
func (s *Slot) publishOr(to Handle) {
	published := false
	defer func() {
		if !published {
			to.unclaim()
		}
	}()
	s.publish()
	published = true
}
