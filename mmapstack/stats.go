package mmapstack

// Stats is a snapshot of a pool. While other goroutines use the pool, its
// numbers may differ by the calls that are under way.
type Stats struct {
	Size  int    // usable bytes of a stack
	Guard string // as in GuardKind

	InUse int // stacks that are out
	Idle  int // stacks in the pool that kept pages, or something attached
	Cold  int // stacks in the pool that nothing is attached to; all but the last few are address space only
	Max   int // InUse, Idle and Cold together at most

	Slabs         int   // mappings
	BytesReserved int64 // address space of the slabs, gaps included

	Gets   uint64 // may lag by the earlier uses of stacks that are out
	Puts   uint64 // likewise
	Misses uint64 // Gets that took a new or a cold stack
	Leaned uint64 // idle stacks that gave back their pages below the top
	Freed  uint64 // stacks given back whole, by Put or Trim

	High Marks // of the uses so far, if the pool was made WithHighWater
}

// Stats returns a snapshot.
func (p *Pool) Stats() Stats {
	st := Stats{Size: p.lay.usable(), Guard: p.guard.String(), Max: p.max, Puts: p.done.Load()}
	if p.marks != nil {
		st.High = p.marks.sum()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.shards {
		sh := &p.shards[i]
		sh.mu.Lock()
		sh.settle()
		st.Idle += int(sh.n.Load())
		st.Puts += sh.done
		sh.mu.Unlock()
	}
	st.Cold = p.ncold
	st.InUse = max(0, p.cut-st.Idle-st.Cold)
	st.Gets = st.Puts + uint64(st.InUse)
	st.Misses = p.misses
	st.Leaned, st.Freed = p.leaned.Load(), p.freed.Load()
	st.Slabs = len(p.slabs)
	for _, sl := range p.slabs {
		st.BytesReserved += int64(len(sl.mem))
	}
	return st
}
