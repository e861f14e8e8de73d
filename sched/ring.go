package sched

// A ring is a queue of items that grows when it is full and keeps its memory.
type ring struct {
	buf  []item // its length is a power of two
	head int    // of the oldest
	n    int
}

const ringMin = 64

func (r *ring) pushBack(it item) {
	if r.n == len(r.buf) {
		r.grow()
	}
	r.buf[(r.head+r.n)&(len(r.buf)-1)] = it
	r.n++
}

// popFront takes the oldest. The ring must not be empty.
func (r *ring) popFront() item {
	slot := &r.buf[r.head]
	it := *slot
	*slot = item{} // the collector need not see it any more
	r.head = (r.head + 1) & (len(r.buf) - 1)
	r.n--
	return it
}

// popBack takes the newest. The ring must not be empty.
func (r *ring) popBack() item {
	r.n--
	slot := &r.buf[(r.head+r.n)&(len(r.buf)-1)]
	it := *slot
	*slot = item{}
	return it
}

func (r *ring) grow() {
	buf := make([]item, max(2*len(r.buf), ringMin))
	n := copy(buf, r.buf[r.head:])
	copy(buf[n:], r.buf[:r.head])
	r.buf, r.head = buf, 0
}
