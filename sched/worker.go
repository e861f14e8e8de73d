package sched

import (
	"math/rand/v2"
	"runtime/debug"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/internal/nilpanic"
	"github.com/stackhop/stackhop/resume"
)

// A worker is one goroutine of a Pool.
type worker struct {
	_ pad
	queue
	pool  *Pool
	loot  loot
	beat  beat
	tick  uint32
	other int
	woken chan struct{} // has room for one; see parking
	_     pad
}

func newWorker(p *Pool) *worker {
	return &worker{pool: p, woken: make(chan struct{}, 1)}
}

// work is what the worker's goroutine does, until the Pool is closed.
func (w *worker) work() {
	for !w.serve() {
	}
}

// serve runs items. It returns true if the goroutine is to end: the Pool is
// closed, or another goroutine goes on as this worker. False means that something
// has panicked.
func (w *worker) serve() (over bool) {
	var word uint64 // of the item that runs
	returned := false
	defer func() {
		if returned {
			return
		}
		v := recover()
		if v == nil {
			v = nilpanic.Value()
		}
		mine := word == 0 || w.beat.end(word)
		if v != nil {
			w.pool.failed.add(&PanicError{v, debug.Stack()})
		}
		switch {
		case !mine:
			over = true
			w.pool.cameBack()
		case v == nil:
			// runtime.Goexit by a function of Do ends this goroutine; another one
			// goes on as this worker.
			w.pool.done.Go(w.work)
		}
	}()
	for w.sign(); ; {
		it, ok := w.next()
		if !ok {
			returned = true
			return true
		}
		if !w.run(it, &word) {
			returned = true
			w.pool.cameBack()
			return true
		}
	}
}

// run runs an item. It returns false if another goroutine goes on as this worker.
// current is not 0 as long as the item runs.
//
// It is not inlined: a trace of the worker's goroutine has it, with the worker.
//
//go:noinline
func (w *worker) run(it item, current *uint64) (mine bool) {
	word := w.beat.begin(it.h.Slot())
	*current = word
	var err error
	if it.call != nil {
		it.call.run(w)
	} else {
		err = it.h.Resume()
	}
	*current = 0
	switch {
	case err == nil:
	case err == resume.ErrStale:
		w.note(1, 0)
	default:
		w.note(0, 1)
		w.pool.refuse(it.h, err)
	}
	return w.beat.end(word)
}

func (w *worker) home() resume.Publisher { return w.pool }

// TaskEnded is called by package ctx, wherever the task ends.
func (w *worker) TaskEnded(t *ctx.Task) resume.Handle {
	w.pool.failed.ended(t.Err())
	w.pool.census.leave(&w.count, 1)
	return resume.Handle{}
}

func (w *worker) notStarted(err error) {
	w.pool.failed.add(err)
	w.pool.census.leave(&w.count, 1)
}

// injectTurn is how often, in turns, a worker takes from the inject queue first;
// and as often from another worker, which may be blocked in a system call: so
// nothing is left behind while all are busy.
const injectTurn = 64

// next takes what is to run next, and sleeps until there is something. False
// means that the Pool is closed.
func (w *worker) next() (item, bool) {
	w.tick++
	if w.tick%signTurn == 0 {
		w.sign()
	}
	switch w.tick % injectTurn {
	case 0:
		if it, ok := w.takeFrom(&w.pool.inject); ok {
			return it, true
		}
	case injectTurn / 2:
		w.other++
		if it, ok := w.takeFrom(&w.pool.workers[w.other%len(w.pool.workers)].queue); ok {
			return it, true
		}
	}
	if it, ok := w.take(); ok {
		return it, true
	}
	w.beat.rest()
	for w.pool.parking.searching.Add(1); ; {
		if it, ok := w.search(); ok {
			w.pool.found()
			return it, true
		}
		if !w.pool.park(w) {
			return item{}, false
		}
		w.sign()
	}
}

// takeFrom takes what is next of q, which may be another worker's.
func (w *worker) takeFrom(q *queue) (item, bool) {
	it, ok := q.take()
	if it.starts() && q != &w.queue {
		w.pool.census.move(&q.count, &w.count, 1)
	}
	return it, ok
}

// search looks for something to run everywhere, twice: in the first round it
// leaves alone who is busy.
func (w *worker) search() (item, bool) {
	p := w.pool
	for round := range 2 {
		if it, ok := w.take(); ok { // queued here while it slept
			return it, true
		}
		if it, ok := w.plunder(&p.inject, round == 0, false); ok {
			return it, true
		}
		first := rand.IntN(len(p.workers))
		for i := range p.workers {
			victim := p.workers[(first+i)%len(p.workers)]
			if victim == w {
				continue
			}
			if it, ok := w.plunder(&victim.queue, round == 0, true); ok {
				return it, true
			}
		}
	}
	return item{}, false
}

// plunder takes a part of q, to run one of it and keep the others.
func (w *worker) plunder(q *queue, try, stealing bool) (item, bool) {
	q.give(&w.loot, try)
	if w.loot.n == 0 {
		return item{}, false
	}
	if starts := w.loot.n - w.loot.ready; starts != 0 {
		w.pool.census.move(&q.count, &w.count, int64(starts))
	}
	return w.keep(&w.loot, stealing), true
}
