package sched

// A hint says which worker was last seen on a processor. It is what finds the
// queue near a caller, who is on a task and cannot tell on which worker's
// goroutine. A sync.Pool keeps one for each processor, or nearly. A wrong hint
// does no harm: anybody may add to any queue, and anybody takes from it.
type hint struct{ w *worker }

// signTurn is how often, in turns, a worker leaves its hint.
const signTurn = 16

// sign leaves w's hint on the processor that it is on.
func (w *worker) sign() {
	h, _ := w.pool.hints.Get().(*hint)
	if h == nil {
		h = new(hint)
	}
	h.w = w
	w.pool.hints.Put(h)
}

// near returns the queue of the worker that the caller is on, by its hint, or
// else the one for all.
func (p *Pool) near() *queue {
	h, _ := p.hints.Get().(*hint)
	if h == nil {
		return &p.inject
	}
	q := &h.w.queue
	p.hints.Put(h)
	return q
}
