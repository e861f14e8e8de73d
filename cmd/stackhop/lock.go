package main

import (
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
)

// A lock is all that it takes to make a mutex of handles, for the tasks of one
// thread. Whoever unlocks runs the first waiter, there and then.
type lock struct {
	held    bool
	waiters []resume.Handle
}

// Lock suspends the calling task while another one holds l.
func (l *lock) Lock() {
	for l.held {
		ctx.Suspend(func(h resume.Handle) { l.waiters = append(l.waiters, h) })
	}
	l.held = true
}

// Unlock hands l to the first waiter, if any, and runs it. It returns when that
// task suspends or ends.
func (l *lock) Unlock() error {
	l.held = false
	if len(l.waiters) == 0 {
		return nil
	}
	h := l.waiters[0]
	l.waiters = l.waiters[1:]
	return h.Resume()
}
