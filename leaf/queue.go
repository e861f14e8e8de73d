package leaf

import (
	"sync/atomic"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/internal/release"
	"github.com/stackhop/stackhop/resume"
)

// A queue is what the primitives have in common: those who wait, and how they
// get what they wait for. Its owner decides who gets what; all that under mu.
//
// A hand-over has two steps. First the waiter is granted what it waits for: from
// then on it has that, whatever becomes of it. Then, with mu released, it is
// resumed. If it is cancelled between, its Abandon passes on what it had (W2).
type queue struct {
	mu       guard
	dry      uint32 // 1 + the lane for which there is nothing, if that is known (W5)
	wait     [2]list
	ready    list // granted
	stranded list
	free     *node                // linked by next
	own      atomic.Pointer[node] // bound to the task that waits here most (W6)
	misses   uint32               // waits of others since that one's last
	kept     uint16
	moved    uint8 // how often own was given to another task
}

// keep is how many unused nodes a queue keeps for its next waiters.
const keep = 256

// patience is, as a power of two, how many others may wait before own is bound
// to one of them. It grows each time, for that costs a node.
const patience = 6

// An owner is the primitive that a queue belongs to. Its methods are called
// with mu held.
type owner interface {
	// admit gives n, which is in no lane, what it asks for, and reports whether
	// that was possible.
	admit(n *node) bool

	// refuse takes back what n was granted, for the next.
	refuse(n *node)

	// left is told that a waiter left a lane with nothing.
	left()

	// wipe drops the value of n, if it is a cell. The caller has n to itself, if not
	// mu.
	wipe(n *node)
}

// An asked owner can be asked without a node.
type asked interface {
	owner
	try(num uint64) (done bool)
}

// plain is what the owners have in common whose nodes are no cells.
type plain struct{}

func (plain) wipe(*node) {}

// await gets the caller what it asks o for, and waits for it if need be.
//
// It is one function, with few around it, because each that returns after a switch
// costs a misprediction: see resume.enter.
func (q *queue) await(o asked, num uint64) error {
	q.mu.Lock()
	if o.try(num) {
		q.wake()
		return nil
	}
	t := ctx.Current()
	n := q.take(o, t)
	n.num = num
	q.mu.Unlock()
	if t == nil {
		q.blockUnless(n)
	}
	return n.wait(t)
}

// park is inlined. It suspends t, if that is a task, until n is granted.
func (n *node) park(t *ctx.Task) *node { return parkBy(n, t, (*ctx.Task).Park, (*node).fail) }

func parkBy(n *node, t *ctx.Task, park func(*ctx.Task, resume.Publisher) error, fail func(*node, error)) *node {
	if t != nil {
		if err := park(t, n); err != nil {
			fail(n, err)
		}
	}
	return n
}

// fail notes that n's task cannot wait.
//
//go:noinline
func (n *node) fail(err error) {
	n.err = err
	n.owner.wipe(n)
}

// wait is inlined. It is park, and the end of the call.
func (n *node) wait(t *ctx.Task) error { return waitBy(n, t, (*node).park, leave) }

func waitBy(n *node, t *ctx.Task, park func(*node, *ctx.Task) *node, leave func(*node) error) error {
	return leave(park(n, t))
}

// leave is the end of a call: it gives n back, if it has one, and answers what has
// come of it. What is bound needs no guard for that.
//
//go:noinline
func leave(n *node) error {
	if n == nil {
		return nil
	}
	err := n.err
	if n.bound == 0 {
		n.q.mu.Lock()
		n.q.part(n)
		n.q.mu.Unlock()
		return err
	}
	if n.state == idle { // not published, so that somebody may look: W3
		n.err = nil
	} else {
		n.clear()
	}
	release.Store32(&n.bound, 1) // see mine
	return err
}

// clear makes n one that nobody but its call knows. It is inlined.
func (n *node) clear() {
	n.state, n.h, n.err = idle, resume.Handle{}, nil
	if n.holds {
		n.owner.wipe(n)
	}
}

// blockUnless blocks a plain goroutine, unless what it asks for has come.
func (q *queue) blockUnless(n *node) {
	q.mu.Lock()
	if n.owner.admit(n) {
		q.wake()
		return
	}
	q.block(n, nil)
}

// block blocks a plain goroutine until n is granted. mu is held.
func (q *queue) block(n *node, after *Mutex) {
	reuse := channelsKeep()
	if n.ch == nil || !reuse {
		n.ch = make(chan struct{}, 1)
	}
	n.calls++
	n.blocks = true
	q.enter(n)
	q.wake()
	if after != nil {
		after.Unlock()
	}
	<-n.ch
	n.blocks = false
	if !reuse {
		n.ch = nil
	}
}

// Publish is called when n's task has parked.
func (n *node) Publish(h resume.Handle) {
	q := n.q
	q.mu.Lock()
	if !h.Live() { // n may be another's by now
		q.mu.Unlock()
		return
	}
	n.h = h
	n.calls++
	if n.bound != 0 {
		q.misses = 0
	}
	after := n.after
	if !q.isDry(n.lane) && n.owner.admit(n) {
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

// isDry reports whether it is known that there is nothing for those in lane l.
func (q *queue) isDry(l lane) bool { return atomic.LoadUint32(&q.dry) == 1+uint32(l) }

// enter puts n into its lane.
func (q *queue) enter(n *node) {
	n.state = queued
	q.wait[n.lane].push(n)
}

// front returns the first in a lane, without those who are being cancelled.
func (q *queue) front(l lane) *node {
	for {
		n := q.wait[l].head
		if n == nil || n.blocks || n.h.Live() {
			return n
		}
		q.wait[l].remove(n)
		n.state = revoked
	}
}

// grant takes n out of its lane, in order to be resumed. The owner has given
// it what it waits for.
func (q *queue) grant(n *node) {
	q.wait[n.lane].remove(n)
	n.state = granted
	q.ready.push(n)
}

// Abandon is called when n's task is cancelled while it waits.
func (n *node) Abandon() {
	after := n.after
	if n.q.abandon(n) && after != nil {
		after.owe(ctx.Current())
	}
}

// abandon takes n from wherever it is. What it had been granted goes on. It
// reports whether n had been published.
func (q *queue) abandon(n *node) (published bool) {
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

// mine returns the node that is bound to t, if there is one. It needs no guard:
// only t gets it, and uses it in one call at a time. An earlier task with t's key may
// have had it before; what that did to it was before bound was stored.
func (q *queue) mine(t *ctx.Task) *node {
	n := q.own.Load()
	if n == nil || n.of != keyOf(t) || atomic.LoadUint32(&n.bound) == 0 {
		return nil
	}
	return n
}

// take makes a node for a call of t that has found nothing.
func (q *queue) take(o owner, t *ctx.Task) *node {
	n := q.used(t)
	if n == nil {
		n = &node{q: q, owner: o, of: keyOf(t)}
	}
	return n
}

// used is take, but answers nil if a node has to be made.
func (q *queue) used(t *ctx.Task) *node {
	n := q.mine(t)
	if n != nil {
		return n
	}
	if n = q.free; n != nil {
		q.free, n.next = n.next, nil
		q.kept--
		n.of = keyOf(t)
	}
	return n
}

// put gives a node back that no list has.
func (q *queue) put(n *node) {
	n.clear()
	if n.bound != 0 {
		release.Store32(&n.bound, 1) // see mine
	} else if q.kept != keep {
		n.next, q.free = q.free, n
		q.kept++
	}
}

// part is put, when its task goes on. The node may become bound.
func (q *queue) part(n *node) {
	if n.of != 0 && q.binds() {
		n.bound = 1
		q.own.Store(n)
	}
	q.put(n)
}

// binds reports whether one more wait of a task that has no node bound makes
// that the one who gets it. What was bound before is left to its task's last call,
// and to the garbage collector.
func (q *queue) binds() bool {
	if q.own.Load() == nil {
		return true
	}
	q.misses++
	if q.misses>>(patience+q.moved) == 0 {
		return false
	}
	q.misses = 0
	q.moved++
	return true
}
