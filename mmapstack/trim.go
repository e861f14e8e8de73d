package mmapstack

import "slices"

// Trim frees all stacks that are idle now: it evicts what is attached to
// them, gives back their pages, and unmaps slabs that have no stack in use. It
// returns how many stacks it freed. Stacks whose Occupant does not leave stay
// idle. Get and Put go on meanwhile.
func (p *Pool) Trim() int {
	n, _ := p.trim(p.drain())
	return n
}

// Close unmaps all of the pool's stacks, after evicting what is attached to
// them. Get returns ErrClosed from then on, and while Close runs.
//
// Errors: ErrClosed; *BusyError if stacks are out, or an Occupant does not
// leave: the pool goes on then; *MapError if the system refuses to unmap.
func (p *Pool) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return ErrClosed
	}
	p.closed = true // so that no stack is made or taken from the cold ones meanwhile
	p.mu.Unlock()

	idle := p.drain()
	p.mu.Lock()
	out := p.cut - p.ncold - count(idle)
	p.mu.Unlock()
	err := error(nil)
	if out != 0 {
		p.refill(idle)
		err = &BusyError{Out: out, Why: "put them back before Close"}
	} else {
		_, err = p.trim(idle)
	}
	if err != nil {
		p.mu.Lock()
		p.closed = false
		p.mu.Unlock()
	}
	return err
}

// drain takes all idle stacks out of the shards.
func (p *Pool) drain() (list *Stack) {
	for i := range p.shards {
		sh := &p.shards[i]
		sh.mu.Lock()
		sh.settle()
		for s := sh.pop(); s != nil; s = sh.pop() {
			s.next, list = list, s
		}
		sh.mu.Unlock()
	}
	return list
}

// refill puts what drain took back.
func (p *Pool) refill(list *Stack) {
	for s := list; s != nil; {
		next := s.next
		p.push(s, 1<<30)
		s = next
	}
}

func count(list *Stack) (n int) {
	for s := list; s != nil; s = s.next {
		n++
	}
	return n
}

// trim frees the stacks of list, which nobody else has. It returns how many,
// and the first error.
func (p *Pool) trim(list *Stack) (n int, first error) {
	var freed, kept *Stack
	for s := list; s != nil; {
		next := s.next
		if err := p.free(s); err != nil {
			if first == nil {
				first = err
			}
			s.next, kept = kept, s
		} else {
			s.next, freed = freed, s
			n++
		}
		s = next
	}
	p.refill(kept)

	p.mu.Lock()
	defer p.mu.Unlock()
	for s := freed; s != nil; {
		next := s.next
		s.next, p.cold = p.cold, s
		p.ncold++
		p.dirty++
		s = next
	}
	if err := p.unmapEmpty(); err != nil && first == nil {
		first = err
	}
	p.cool()
	return n, first
}

// unmapEmpty unmaps the slabs all of whose stacks are cold. The caller holds p.mu.
func (p *Pool) unmapEmpty() (first error) {
	for _, sl := range p.slabs {
		sl.cold = 0
	}
	for s := p.cold; s != nil; s = s.next {
		s.slab.cold++
	}
	// What stays cold keeps its order, the dirty ones first.
	dirty := p.dirty
	p.dirty, p.ncold = 0, 0
	for at, i := &p.cold, 0; *at != nil; i++ {
		s := *at
		if s.slab.cold == s.slab.cut {
			*at, s.next = s.next, nil
			continue
		}
		p.ncold++
		if i < dirty {
			p.dirty++
		}
		at = &s.next
	}
	p.slabs = slices.DeleteFunc(p.slabs, func(sl *slab) bool {
		if sl.cold < sl.cut {
			return false
		}
		if err := sl.unmap(); err != nil {
			if first == nil {
				first = err
			}
			p.recool(sl)
			return false
		}
		p.cut -= sl.cut
		sl.pool = nil
		for i := range sl.cut {
			s := sl.stack(i)
			s.state = stateFree
			s.setRegion(0, 0, 0)
		}
		return true
	})
	return first
}

// recool takes the stacks of a slab that could not be unmapped for cold ones.
func (p *Pool) recool(sl *slab) {
	for i := range sl.cut {
		s := sl.stack(i)
		s.next, p.cold = p.cold, s
		p.ncold++
		p.dirty++
	}
}
