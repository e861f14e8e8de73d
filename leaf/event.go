package leaf

import "sync/atomic"

// An Event is something that has happened or has not. The zero Event has not. It
// must not be copied after first use.
type Event struct {
	plain
	set atomic.Bool
	q   queue
}

// Wait returns once the event has happened. Those who wait are resumed first
// come first served, also if Reset comes before their turn. Errors: ErrUnwinding,
// ErrThreadLocked.
func (e *Event) Wait() error {
	if e.set.Load() {
		return nil
	}
	return e.q.await(e, 0)
}

// IsSet reports whether the event has happened.
func (e *Event) IsSet() bool { return e.set.Load() }

// Set says that the event has happened, and resumes all that wait for it, one
// after the other, each until it suspends or ends.
func (e *Event) Set() {
	e.q.mu.Lock()
	e.set.Store(true)
	if n := e.q.sole(0); n != nil {
		_ = n.hand()
		return
	}
	e.all()
}

// Reset says that it has not happened.
func (e *Event) Reset() {
	e.q.mu.Lock()
	e.set.Store(false)
	e.q.mu.Unlock()
}

// Broadcast resumes all that wait now, and leaves the event as it is.
func (e *Event) Broadcast() {
	e.q.mu.Lock()
	e.all()
}

// all resumes everybody, and releases the lock.
func (e *Event) all() {
	for n := e.q.front(0); n != nil; n = e.q.front(0) {
		e.q.grant(n)
	}
	e.q.wake()
}

func (e *Event) try(uint64) bool { return e.set.Load() }

func (e *Event) admit(*node) bool { return e.set.Load() }

func (e *Event) refuse(*node) {}

func (e *Event) left() {}
