package leaf

import (
	"sync/atomic"

	"github.com/stackhop/stackhop/ctx"
)

// A Cond is a condition variable: where those who hold a Mutex wait for
// somebody to say that what it guards has changed. Make it with NewCond, or set L.
// It must not be copied after first use.
//
// Waiters are resumed first come first served. A signal is not lost: if the
// waiter that got it is cancelled before Wait returns, the next one gets it.
type Cond struct {
	plain
	L *Mutex
	q queue
}

// NewCond makes a Cond that belongs to m.
func NewCond(m *Mutex) *Cond { return &Cond{L: m} }

// Wait unlocks c.L, waits for Signal or Broadcast, and locks c.L again. As the
// condition may have changed meanwhile, call it in a loop that looks.
//
// Errors: ErrUnwinding, ErrThreadLocked; the caller has held c.L throughout then.
//
// If the task is cancelled in Wait, it has c.L for its deferred calls if it
// was free at that moment. If not, these run without it, and one Unlock of c.L by
// this task is forgiven: so a deferred Unlock may stay what it is.
func (c *Cond) Wait() error {
	if atomic.LoadUint32(&c.L.word)&locked == 0 {
		panic("leaf: Cond.Wait without its Mutex being locked")
	}
	t := ctx.Current()
	c.q.mu.Lock()
	n := c.q.take(c, t)
	if t == nil {
		c.q.block(n, c.L)
		_ = leave(n) // nil
		return c.L.Lock()
	}
	n.after = c.L
	c.q.mu.Unlock()
	return c.park(t, n)
}

func (c *Cond) park(t *ctx.Task, n *node) error {
	n.park(t)
	n.after = nil
	err := leave(n)
	if err != nil {
		return err
	}
	returns := false
	defer func() {
		if !returns { // cancelled in the line for c.L
			c.L.owe(t)
			c.Signal()
		}
	}()
	err = c.L.Lock()
	returns = true
	return err
}

// Signal resumes the one who waits longest, if anybody does. The caller may hold
// c.L; if so, the waiter stops at it for the moment.
func (c *Cond) Signal() {
	c.q.mu.Lock()
	if n := c.q.pop(0); n != nil {
		_ = n.hand()
		return
	}
	c.next()
	c.q.wake()
}

// Broadcast resumes all that wait.
func (c *Cond) Broadcast() {
	c.q.mu.Lock()
	for n := c.q.front(0); n != nil; n = c.q.front(0) {
		c.q.grant(n)
	}
	c.q.wake()
}

func (c *Cond) next() {
	if n := c.q.front(0); n != nil {
		c.q.grant(n)
	}
}

func (c *Cond) try(uint64) bool { return false }

func (c *Cond) admit(*node) bool { return false }

func (c *Cond) refuse(*node) { c.next() }

func (c *Cond) left() {}
