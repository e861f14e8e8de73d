package sched

import "sync"

// A queue is what waits for one worker, or for any.
type queue struct {
	mu     sync.Mutex
	ready  ring // what goes on, first come, first served
	fresh  ring // what begins, all of them starts of tasks: the newest first
	turns  uint32
	closed bool
	stats  Stats // of the queue's worker
	count  count // of tasks: see census
}

// add queues it. False means that the queue is closed.
func (q *queue) add(it item, fresh bool) bool {
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return false
	}
	if fresh {
		q.fresh.pushBack(it)
	} else {
		q.ready.pushBack(it)
	}
	q.mu.Unlock()
	return true
}

// How often, in turns, it is not the rule that decides who is next.
const (
	freshTurn  = 8  // the newest that begins goes before those that go on
	oldestTurn = 64 // the oldest that begins does
)

// take takes what is next.
func (q *queue) take() (it item, ok bool) {
	q.mu.Lock()
	q.turns++
	switch {
	case q.fresh.n == 0 && q.ready.n == 0:
		q.mu.Unlock()
		return item{}, false
	case q.fresh.n == 0:
		it = q.ready.popFront()
	case q.turns%oldestTurn == 0:
		it = q.fresh.popFront()
	case q.ready.n == 0 || q.turns%freshTurn == 0:
		it = q.fresh.popBack()
	default:
		it = q.ready.popFront()
	}
	q.stats.Ran++
	q.mu.Unlock()
	return it, true
}

// note counts a handle that could not be resumed.
func (q *queue) note(stale, refused uint64) {
	q.mu.Lock()
	q.stats.Stale += stale
	q.stats.Refused += refused
	q.mu.Unlock()
}

// addTo adds the queue's share to s.
func (q *queue) addTo(s *Stats) {
	q.mu.Lock()
	s.Ran += q.stats.Ran
	s.Stale += q.stats.Stale
	s.Refused += q.stats.Refused
	s.Stolen += q.stats.Stolen
	s.Queued += q.ready.n + q.fresh.n
	q.mu.Unlock()
	s.Tasks += int(q.count.n.Load())
}

// empty reports whether nothing is queued.
func (q *queue) empty() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.ready.n+q.fresh.n == 0
}

// A loot is what one worker takes from another, or from the inject queue, at
// once.
type loot struct {
	items [maxLoot]item
	ready int // the first ones of items
	n     int
}

const maxLoot = 64

// give moves the older half of the queue to l, but no more than there is room
// for. If try is set and somebody uses the queue, it gives nothing.
func (q *queue) give(l *loot, try bool) {
	if !try {
		q.mu.Lock()
	} else if !q.mu.TryLock() {
		return
	}
	for n := min((q.ready.n+1)/2, maxLoot); l.n < n; l.n++ {
		l.items[l.n] = q.ready.popFront()
	}
	l.ready = l.n
	for n := l.n + min((q.fresh.n+1)/2, maxLoot-l.n); l.n < n; l.n++ {
		l.items[l.n] = q.fresh.popFront()
	}
	q.mu.Unlock()
}

// keep queues all of l but the first item, which it answers; that one's turn has
// come.
func (q *queue) keep(l *loot, stolen bool) item {
	first := l.items[0]
	q.mu.Lock()
	for i := 1; i < l.n; i++ {
		if i < l.ready {
			q.ready.pushBack(l.items[i])
		} else {
			q.fresh.pushBack(l.items[i])
		}
	}
	q.stats.Ran++
	if stolen {
		q.stats.Stolen += uint64(l.n)
	}
	q.mu.Unlock()
	clear(l.items[:l.n])
	l.n = 0
	return first
}
