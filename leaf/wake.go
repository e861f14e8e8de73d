package leaf

import (
	"errors"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
)

// pop takes the first out of a lane, for the caller to give it what it waits for,
// and to hand it that. There is nil if that needs more care: grant and wake then.
// It is inlined.
func (q *queue) pop(l lane) *node {
	n := q.wait[l].head
	if n == nil || n.blocks || q.ready.head != nil || q.stranded.head != nil {
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
func (q *queue) sole(l lane) *node {
	if q.wait[l].head != q.wait[l].tail {
		return nil
	}
	return q.pop(l)
}

// hand resumes one that pop has answered, and releases mu for that; with nil it
// does nothing. It is inlined into the user's code: see lockBy.
func (n *node) hand() error { return handBy(n, (*node).unguard, resume.Handle.Resume, (*node).rest) }

func handBy(n *node, unguard func(*node) (resume.Handle, uint32), resume func(resume.Handle) error, rest func(*node, resume.Handle, uint32) error) error {
	if h, call := unguard(n); resume(h) != nil {
		return rest(n, h, call)
	}
	return nil
}

// unguard answers the handle and the call of one that was popped, and releases mu.
// Otherwise, the zero handle is stale enough to have rest see to it.
func (n *node) unguard() (h resume.Handle, call uint32) {
	if n != nil && n.state == woken {
		h, call = n.h, n.calls
		n.q.mu.Unlock()
	}
	return
}

// rest is called if the one that was to go on did not. It tries again: that is how
// handBy, which has no room for it, leaves the error to be told. If n was not popped
// it was lent by a Chan, and mu is held.
//
//go:noinline
func (n *node) rest(h resume.Handle, call uint32) error {
	switch {
	case n == nil:
		return nil
	case h != resume.Handle{}:
		if err := h.Resume(); err != nil {
			n.q.notResumed(n, h, call, err)
		}
		return nil
	}
	q := n.q
	if n.lane != carrying && !n.owner.admit(n) {
		return q.keepLent(n)
	}
	err := n.err
	n.clear()
	if q.ready.empty() && q.stranded.empty() {
		q.mu.Unlock()
	} else {
		q.wake()
	}
	return err
}

// keepLent makes the caller's own what was lent, which is the first that is free, and
// waits with it. mu is held.
func (q *queue) keepLent(n *node) error {
	q.free, n.next = n.next, nil
	q.kept--
	q.mu.Unlock()
	t := ctx.Current()
	if t == nil {
		q.blockUnless(n)
	}
	n.of = keyOf(t)
	return n.wait(t)
}

// wake resumes all that have been granted something, each as a plain call, and
// releases mu for that. It is called with mu held and returns without.
func (q *queue) wake() {
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
		h, call, ch, blocks := n.h, n.calls, n.ch, n.blocks
		q.mu.Unlock()
		switch {
		case blocks:
			ch <- struct{}{}
		case last:
			if err := h.Resume(); err != nil {
				q.notResumed(n, h, call, err)
			}
		default:
			q.resume(n, h, call)
		}
		if last {
			return // who granted more since has woken it
		}
		q.mu.Lock()
	}
}

// resume resumes one of several. If a Publisher of that task panics, the others
// are still resumed.
func (q *queue) resume(n *node, h resume.Handle, call uint32) {
	returned := false
	defer func() {
		if !returned {
			q.mu.Lock()
			q.wake()
		}
	}()
	if err := h.Resume(); err != nil {
		q.notResumed(n, h, call, err)
	}
	returned = true
}

// notResumed does what there is to do when the task of n, which has been woken,
// did not go on. If that task's Abandon was here first, or the task did go on and it
// was another one that could not, n is idle or in a later call (W3).
//
//go:noinline
func (q *queue) notResumed(n *node, h resume.Handle, call uint32, err error) {
	q.mu.Lock()
	if n.calls != call || n.state != woken {
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
				q.notResumed(n, h, call, err)
			}
		}()
	}
}

// retry resumes those who could not be before. It is called with mu held, and
// returns with it.
//
//go:noinline
func (q *queue) retry() {
	n := q.stranded.pop()
	n.state = woken
	h, call := n.h, n.calls
	q.mu.Unlock()
	err := h.Resume()
	q.mu.Lock()
	if err == nil || n.calls != call || n.state != woken {
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
