package leaf

import (
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
)

// A queue is what the primitives have in common: those who wait, and how they
// get what they wait for. Its owner decides who gets what; all that under mu.
//
// A hand-over has two steps. First the waiter is granted what it waits for: from
// then on it has that, whatever becomes of it. Then, with mu released, it is
// resumed. If it is cancelled between, its Abandon passes on what it had (W2).
type queue[V any] struct {
	mu       guard
	wait     [2]list[V]
	ready    list[V] // granted
	stranded list[V]
	free     *node[V] // linked by next
	kept     int
}

// keep is how many unused nodes a queue keeps for its next waiters.
const keep = 256

// An owner is the primitive that a queue belongs to. Its methods are called
// with mu held.
type owner[V any] interface {
	// admit gives n, which is in no lane, what it asks for, and reports whether
	// that was possible.
	admit(n *node[V]) bool

	// refuse takes back what n was granted, for the next.
	refuse(n *node[V])

	// left is told that a waiter left a lane with nothing.
	left()
}

// An asked owner can be asked without a node. v is what that would have for
// value.
type asked[V any] interface {
	owner[V]
	try(l lane, v V) (got V, done bool, err error)
}

// await gets the caller what it asks o for, and waits for it if need be.
//
// It is one function, with few around it, because each that returns after a switch
// costs a misprediction: see resume.enter.
func (q *queue[V]) await(o asked[V], l lane, v V) (V, error) {
	q.mu.Lock()
	v, done, err := o.try(l, v)
	if done {
		if n := q.one(); n != nil {
			h := n.h
			q.mu.Unlock()
			if err := h.Resume(); err != nil {
				q.notResumed(n, h, err)
			}
			return v, err
		}
		q.wake()
		return v, err
	}
	n := q.take(o, l, v)
	q.mu.Unlock()
	t := ctx.Current()
	if t == nil {
		return q.blockUnless(n)
	}
	err = t.Park(n)
	return q.leave(n, err)
}

// leave gives n back, and answers what has come of it. err is what Park
// answered.
func (q *queue[V]) leave(n *node[V], err error) (v V, _ error) {
	if err == nil {
		v, err = n.value, n.err
	}
	q.mu.Lock()
	q.put(n)
	q.mu.Unlock()
	return v, err
}

// blockUnless blocks a plain goroutine, unless what it asks for has come.
func (q *queue[V]) blockUnless(n *node[V]) (V, error) {
	q.mu.Lock()
	if n.owner.admit(n) {
		v, err := n.value, n.err
		q.put(n)
		q.wake()
		return v, err
	}
	return q.block(n, nil)
}

// block blocks a plain goroutine until n is granted. mu is held.
func (q *queue[V]) block(n *node[V], after *Mutex) (v V, err error) {
	reuse := channelsKeep()
	if n.spare == nil || !reuse {
		n.spare = make(chan struct{}, 1)
	}
	n.ch = n.spare
	q.enter(n)
	q.wake()
	if after != nil {
		after.Unlock()
	}
	<-n.ch
	n.ch = nil
	if !reuse {
		n.spare = nil
	}
	return q.leave(n, nil)
}

// Publish is called when n's task has parked.
func (n *node[V]) Publish(h resume.Handle) {
	q := n.q
	q.mu.Lock()
	if !h.Live() { // n may be another's by now
		q.mu.Unlock()
		return
	}
	n.h = h
	after := n.after
	if q.mu.count() != n.seen+2 && n.owner.admit(n) {
		n.state = granted
		q.ready.push(n)
		q.wake()
	} else {
		q.enter(n)
		if q.stranded.empty() {
			q.mu.Unlock()
		} else {
			q.wake()
		}
	}
	if after != nil {
		after.Unlock()
	}
}

// enter puts n into its lane.
func (q *queue[V]) enter(n *node[V]) {
	n.state = queued
	q.wait[n.lane].push(n)
}

// front returns the first in a lane, without those who are being cancelled.
func (q *queue[V]) front(l lane) *node[V] {
	for {
		n := q.wait[l].head
		if n == nil || n.ch != nil || n.h.Live() {
			return n
		}
		q.wait[l].remove(n)
		n.state = revoked
	}
}

// grant takes n out of its lane, in order to be resumed. The owner has given
// it what it waits for.
func (q *queue[V]) grant(n *node[V]) {
	q.wait[n.lane].remove(n)
	n.state = granted
	q.ready.push(n)
}

// Abandon is called when n's task is cancelled while it waits.
func (n *node[V]) Abandon() {
	after := n.after
	if n.q.abandon(n) && after != nil {
		after.owe(ctx.Current())
	}
}

// abandon takes n from wherever it is. What it had been granted goes on. It
// reports whether n had been published.
func (q *queue[V]) abandon(n *node[V]) (published bool) {
	q.mu.Lock()
	was := n.state
	switch was {
	case queued:
		q.wait[n.lane].remove(n)
		n.owner.left()
	case revoked:
		n.owner.left()
	case granted:
		q.ready.remove(n)
		n.owner.refuse(n)
	case strand:
		q.stranded.remove(n)
		n.owner.refuse(n)
	case woken:
		n.owner.refuse(n)
	}
	n.after = nil
	q.put(n)
	q.wake()
	return was != idle
}

// take makes a node for a call that has found nothing.
func (q *queue[V]) take(o owner[V], l lane, v V) *node[V] {
	n := q.free
	if n == nil {
		n = &node[V]{q: q, owner: o}
	} else {
		q.free, n.next = n.next, nil
		q.kept--
	}
	n.lane, n.value, n.seen = l, v, q.mu.count()
	return n
}

// put gives a node back that no list has.
func (q *queue[V]) put(n *node[V]) {
	n.state = idle // whoever still looks at it sees that
	if q.kept == keep {
		return
	}
	var none V
	n.task, n.h, n.value = nil, resume.Handle{}, none
	if n.err != nil {
		n.err = nil
	}
	n.next, q.free = q.free, n
	q.kept++
}
