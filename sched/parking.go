package sched

import (
	"slices"
	"sync"
	"sync/atomic"
)

// A parking is where workers sleep that have found nothing to do. Nobody spins:
// a worker looks at each queue twice, and then parks.
//
// Why no wake-up is lost. Say x is queued, and who has queued it, call it the
// poster, then reads n and after that searching (notify). For x to be left
// behind, every worker must park, or stay parked, without having looked at x's
// queue after x came. Let W be the last worker that parks.
//
//	P1  A worker that parks raises n first, then lowers searching, and then looks
//	    at every queue once more, under the queue's lock.
//	P2  Had W looked before x came, then, by the queue's lock, the poster reads n
//	    after W has raised it: n is not 0, and the poster does not stop there.
//	P3  If the poster then finds searching 0, it raises it and wakes a worker, or
//	    finds, under mu, that none is parked any more, and starts over.
//	P4  If it finds searching raised, that is by somebody, S, who has not yet lowered it,
//	    and who does one of three things after x came. S parks: it looks at
//	    x's queue after it has lowered searching (P1), and finds x. S has found
//	    something else, or nobody to wake: when it has lowered searching it reads n as a
//	    poster does (found, notify), so that x is S's to pass on.
//
// A worker that is woken takes over the 1 in searching that its waker has put
// there. So one worker at a time is on its way, however many items come; it wakes
// the next one when it has found something.
type parking struct {
	_         pad
	n         atomic.Int32 // len(parked)
	_         pad
	searching atomic.Int32 // workers that look for something, or are about to be woken for it
	_         pad
	mu        sync.Mutex
	parked    []*worker
}

// notify wakes a worker, if one is parked and nobody is searching.
func (k *parking) notify() {
	for k.n.Load() != 0 && k.searching.Load() == 0 && k.searching.CompareAndSwap(0, 1) {
		if w := k.unpark(); w != nil {
			w.woken <- struct{}{}
			return
		}
		k.searching.Add(-1)
	}
}

// unpark takes the worker that parked last.
func (k *parking) unpark() *worker {
	k.mu.Lock()
	defer k.mu.Unlock()
	last := len(k.parked) - 1
	if last < 0 {
		return nil
	}
	w := k.parked[last]
	k.parked = k.parked[:last]
	k.n.Store(int32(last))
	return w
}

// found is called by a worker that was searching and has something to run.
func (p *Pool) found() {
	if k := &p.parking; k.searching.Add(-1) == 0 {
		k.notify()
	}
}

// park parks w, which was searching, until it is to search again. False means
// that the Pool is closed.
func (p *Pool) park(w *worker) bool {
	k := &p.parking
	k.mu.Lock()
	k.parked = append(k.parked, w)
	k.n.Store(int32(len(k.parked)))
	k.mu.Unlock()
	k.searching.Add(-1)
	switch {
	case p.empty():
		p.tryClose()
	case k.leave(w):
		k.searching.Add(1)
		return true
	}
	_, ok := <-w.woken
	return ok
}

// leave undoes the parking of w. False means that w has been woken.
func (k *parking) leave(w *worker) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	i := slices.Index(k.parked, w)
	if i < 0 {
		return false
	}
	k.parked = slices.Delete(k.parked, i, i+1)
	k.n.Store(int32(len(k.parked)))
	return true
}

// empty reports whether nothing is queued anywhere.
func (p *Pool) empty() bool {
	for _, w := range p.workers {
		if !w.empty() {
			return false
		}
	}
	return p.inject.empty()
}

// close has the Pool closed as soon as nothing runs and nothing is queued.
func (p *Pool) close() {
	p.closing.Store(true)
	p.tryClose()
}

// tryClose closes the Pool if it is to be closed, all workers are parked and no
// goroutine is away: then nothing runs, and only others could queue something.
func (p *Pool) tryClose() {
	k := &p.parking
	k.mu.Lock()
	defer k.mu.Unlock()
	if !p.closing.Load() || len(k.parked) != len(p.workers) || p.away.Load() != 0 || !p.shut() {
		return
	}
	p.open.Store(false)
	for _, w := range k.parked {
		close(w.woken)
	}
	k.parked = nil
	k.n.Store(0)
}

// queues are all there are.
func (p *Pool) queues() []*queue {
	all := []*queue{&p.inject}
	for _, w := range p.workers {
		all = append(all, &w.queue)
	}
	return all
}

// shut closes all queues, if nothing is queued.
func (p *Pool) shut() bool {
	all := p.queues()
	empty := true
	for _, q := range all {
		q.mu.Lock()
		empty = empty && q.ready.n+q.fresh.n == 0
	}
	for _, q := range all {
		q.closed = empty
		q.mu.Unlock()
	}
	return empty
}
