package leaf

import (
	"errors"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/resume"
)

// one returns the only one that is to be resumed, if it is so, for the caller to
// release mu and do that. It is inlined; otherwise, there is wake.
func (q *queue[V]) one() *node[V] {
	n := q.ready.head
	if n == nil || n != q.ready.tail || n.ch != nil || q.stranded.head != nil {
		return nil
	}
	q.ready = list[V]{}
	n.state = woken
	return n
}

// pop takes the first out of a lane, for the caller to give it what it waits for,
// release mu and resume it. There is nil if that needs more care: grant and
// wake then. It is inlined.
func (q *queue[V]) pop(l lane) *node[V] {
	n := q.wait[l].head
	if n == nil || n.ch != nil || q.ready.head != nil || q.stranded.head != nil {
		return nil
	}
	q.wait[l].head = n.next
	if n.next == nil {
		q.wait[l].tail = nil
	} else {
		n.next.prev, n.next = nil, nil
	}
	n.state = woken
	return n
}

// sole is pop, if nobody else is in the lane.
func (q *queue[V]) sole(l lane) *node[V] {
	if q.wait[l].head != q.wait[l].tail {
		return nil
	}
	return q.pop(l)
}

// wake resumes all that have been granted something, each as a plain call, and
// releases mu for that. It is called with mu held and returns without.
func (q *queue[V]) wake() {
	if !q.stranded.empty() {
		q.retry()
	}
	for {
		n := q.ready.pop()
		if n == nil {
			q.mu.Unlock()
			return
		}
		last := q.ready.empty()
		n.state = woken
		h, ch := n.h, n.ch
		q.mu.Unlock()
		switch {
		case ch != nil:
			ch <- struct{}{}
		case last:
			if err := h.Resume(); err != nil {
				q.notResumed(n, h, err)
			}
		default:
			q.resume(n, h)
		}
		if last {
			return // who granted more since has woken it
		}
		q.mu.Lock()
	}
}

// resume resumes one of several. If a Publisher of that task panics, the others
// are still resumed.
func (q *queue[V]) resume(n *node[V], h resume.Handle) {
	returned := false
	defer func() {
		if !returned {
			q.mu.Lock()
			q.wake()
		}
	}()
	if err := h.Resume(); err != nil {
		q.notResumed(n, h, err)
	}
	returned = true
}

// notResumed does what there is to do when the task of n, which has been woken,
// did not go on. If that task's own deferred call was here first, n is another's
// by now, or idle.
//
//go:noinline
func (q *queue[V]) notResumed(n *node[V], h resume.Handle, err error) {
	q.mu.Lock()
	if n.h != h || n.state != woken {
		q.mu.Unlock()
		return
	}
	switch {
	case err == resume.ErrStale: // it is being cancelled, maybe much later
		n.state = revoked
		n.owner.refuse(n)
		q.wake()
	case errors.Is(err, stackhop.ErrBubble):
		n.state = strand
		q.stranded.push(n)
		q.mu.Unlock()
		panic(new(StrandedError))
	default: // the caller's thread is the obstacle
		q.mu.Unlock()
		go func() {
			if err := h.Resume(); err != nil {
				q.notResumed(n, h, err)
			}
		}()
	}
}

// retry resumes those who could not be before. It is called with mu held, and
// returns with it.
//
//go:noinline
func (q *queue[V]) retry() {
	n := q.stranded.pop()
	n.state = woken
	h := n.h
	q.mu.Unlock()
	err := h.Resume()
	q.mu.Lock()
	if err == nil || n.h != h || n.state != woken {
		return
	}
	if err == resume.ErrStale {
		n.state = revoked
		n.owner.refuse(n)
		return
	}
	n.state = strand
	q.stranded.push(n)
}
