package sched

import (
	"sync"
	"sync/atomic"
)

// A census counts the tasks that Go has started and that have not ended. Each
// queue has a count of its own, so that workers whose tasks start and end tasks have
// nothing to share but the number of counts that are not 0.
//
// Why Wait returns neither too early nor never:
//
//	C1  A task is in the count of a queue from before its start is queued there until
//	    it has ended. If another worker takes its start, that one's count takes
//	    over, and is raised before the first is lowered and before others can take the
//	    start from there. The worker that begins the task has it in its count, and is its
//	    ctx.Ender, wherever it goes on and ends.
//	C2  Whoever makes a count leave 0 has raised busy before; who makes a count 0
//	    lowers busy after it. So busy is at all times the number of counts that are not
//	    0 and of those who are between the two steps.
//	C3  If busy is 0, there is no task at this moment. Wait returns when it has
//	    read that, not before.
//	C4  Whoever makes busy 0 reads waiters after it, and Wait raises waiters before it
//	    reads busy. So one of them sees the other; and Wait reads busy and goes to
//	    sleep under mu, which the other takes to wake it.
type census struct {
	_       pad
	busy    atomic.Int64
	waiters atomic.Int32 // in wait
	_       pad
	mu      sync.Mutex
	idle    sync.Cond // busy has become 0; of mu
}

// A count is one queue's part of a census.
type count struct{ n atomic.Int64 }

// A pad keeps what is before it and what is after it off each other's cache
// lines, of which processors fetch two at once.
type pad [128]byte

func (c *census) init() { c.idle.L = &c.mu }

// add counts n more tasks at a count.
func (c *census) add(at *count, n int64) {
	if old := at.n.Load(); old == 0 || !at.n.CompareAndSwap(old, old+n) {
		c.addSlowly(at, n)
	}
}

func (c *census) addSlowly(at *count, n int64) {
	c.busy.Add(1)
	for {
		old := at.n.Load()
		if !at.n.CompareAndSwap(old, old+n) {
			continue
		}
		if old != 0 {
			c.lower() // somebody else has made it leave 0
		}
		return
	}
}

// leave counts n tasks out.
func (c *census) leave(at *count, n int64) {
	if left := at.n.Add(-n); left <= 0 {
		if left < 0 {
			panic("BUG: sched: a task has ended where it was not counted")
		}
		c.lower()
	}
}

// move has n tasks counted elsewhere.
func (c *census) move(from, to *count, n int64) {
	c.add(to, n)
	c.leave(from, n)
}

// lower lowers busy.
func (c *census) lower() {
	if c.busy.Add(-1) == 0 && c.waiters.Load() != 0 {
		c.mu.Lock()
		c.idle.Broadcast()
		c.mu.Unlock()
	}
}

// wait returns when at one moment there was no task.
func (c *census) wait() {
	c.waiters.Add(1)
	c.mu.Lock()
	for c.busy.Load() != 0 {
		c.idle.Wait()
	}
	c.mu.Unlock()
	c.waiters.Add(-1)
}
