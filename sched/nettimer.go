package sched

import (
	"container/heap"
	"math"
	"os"
	"time"

	"github.com/stackhop/stackhop/resume"
)

// A clock counts nanoseconds since it was made, by the system's monotonic
// clock.
type clock struct{ start time.Time }

func (c clock) now() int64 { return int64(time.Since(c.start)) }

// after returns when d will be over.
func (c clock) after(d time.Duration) int64 {
	now := c.now()
	if int64(d) > math.MaxInt64-now {
		return math.MaxInt64
	}
	return now + int64(d)
}

// at returns when t is on the clock, and 0 for the zero time.
func (c clock) at(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return max(c.after(time.Until(t)), 1) // by the monotonic reading, if t has one
}

// A timer is an entry in a Net's heap, guarded by Net.mu: of a side, or of a task
// that sleeps.
//
// A deadline that is put off leaves its entry where it is: when it fires, it is
// set anew. So a program that sets one before every read seldom touches the heap.
type timer struct {
	side  *side         // set for ever, or nil
	task  resume.Handle // in place of side
	when  int64         // on the Net's clock
	index int           // in the heap, from 1; 0: not in it
}

// setDeadline is called with desc.mu held.
func (s *side) setDeadline(when int64) {
	s.deadline, s.expired = when, false
	switch {
	case when == 0:
	case when <= s.desc.net.clock.now():
		s.expire()
	case s.armed == 0 || s.armed > when:
		s.arm()
	}
}

func (s *side) arm() {
	s.armed = s.deadline
	s.desc.net.arm(&s.timer, s.deadline)
}

func (s *side) expire() {
	s.expired = true
	s.fail(os.ErrDeadlineExceeded)
}

// fired is called by the loop after the timer was taken off the heap.
func (s *side) fired(now int64) {
	d := s.desc
	d.mu.Lock()
	defer d.mu.Unlock()
	s.armed = 0
	switch {
	case d.closed || s.deadline == 0:
	case s.deadline <= now:
		s.expire()
	default:
		s.arm()
	}
}

// arm makes t fire at when, or earlier if it is to fire earlier already.
func (n *Net) arm(t *timer, when int64) {
	n.mu.Lock()
	n.armAndUnlock(t, when)
}

func (n *Net) armAndUnlock(t *timer, when int64) {
	switch {
	case t.index == 0:
		t.when = when
		heap.Push(&n.timers, t)
	case when < t.when:
		t.when = when
		heap.Fix(&n.timers, t.index-1)
	}
	earlier := n.timers[0] == t
	n.mu.Unlock()
	if earlier {
		n.rouse()
	}
}

// disarm is called with n.mu held.
func (n *Net) disarm(t *timer) {
	if t.index != 0 {
		heap.Remove(&n.timers, t.index-1)
	}
}

// fire serves the timers that are due.
func (n *Net) fire() {
	now := n.clock.now()
	for {
		n.mu.Lock()
		if len(n.timers) == 0 || n.timers[0].when > now {
			n.mu.Unlock()
			return
		}
		t := heap.Pop(&n.timers).(*timer)
		if t.side == nil {
			n.wakes = append(n.wakes, wake{task: t.task})
			n.mu.Unlock()
			continue
		}
		n.mu.Unlock()
		t.side.fired(now)
	}
}

// timers is a heap by time.
type timers []*timer

func (h timers) Len() int           { return len(h) }
func (h timers) Less(i, j int) bool { return h[i].when < h[j].when }

func (h timers) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i+1, j+1
}

func (h *timers) Push(x any) {
	t := x.(*timer)
	*h = append(*h, t)
	t.index = len(*h)
}

func (h *timers) Pop() any {
	last := len(*h) - 1
	t := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	t.index = 0
	return t
}
