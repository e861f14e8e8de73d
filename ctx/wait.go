package ctx

import (
	"sync"

	"github.com/stackhop/stackhop/resume"
)

// Wait returns when t has ended, and how: t.Err. Called on a task it suspends
// that; on any other goroutine it blocks. Many may wait.
//
// Errors besides those of t: cancel.ErrUnwinding and *stackhop.ThreadLockError
// if the current task cannot be suspended; ErrRunning if it is t itself. t then goes
// on.
func (t *Task) Wait() error {
	if t.slot.Done() {
		return t.err
	}
	w := &waiter{on: t.waitList(), t: t, awake: make(chan struct{}, 1)}
	cur := Current()
	if cur == t {
		return ErrRunning
	}
	defer w.forget()
	for {
		if cur == nil {
			w.link(resume.Handle{})
		} else if err := cur.Park(w); err != nil {
			return err
		}
		if t.slot.Done() {
			return t.err
		}
		if cur == nil {
			<-w.awake
		}
	}
}

// A waitList has the waiters of a task. The end of the task looks for a list after the
// word says done, and takes no lock if there is none. A waiter makes or enters the
// list, then a barrier (T5), and then looks at the word.
type waitList struct {
	mu          sync.Mutex
	first, last *waiter
}

func (t *Task) waitList() *waitList {
	x := t.extras()
	if l := x.waits.Load(); l != nil {
		return l
	}
	x.waits.CompareAndSwap(nil, new(waitList))
	return x.waits.Load()
}

type waiter struct {
	on    *waitList
	t     *Task
	h     resume.Handle // zero: a goroutine waits on awake
	awake chan struct{}

	listed     bool // guarded by on.mu, like what follows
	prev, next *waiter
}

// Publish is called when the waiting task is parked.
func (w *waiter) Publish(h resume.Handle) {
	if !w.link(h) {
		_ = h.Resume()
	}
}

// link enters w. It reports false if the task has ended; then w is not woken.
func (w *waiter) link(h resume.Handle) bool {
	w.on.mu.Lock()
	defer w.on.mu.Unlock()
	w.h = h
	w.on.add(w)
	resume.Barrier()
	if !w.t.slot.Done() {
		return true
	}
	w.on.remove(w)
	return false
}

// forget takes w off the list, if it is there.
func (w *waiter) forget() {
	w.on.mu.Lock()
	defer w.on.mu.Unlock()
	w.on.remove(w)
}

func (l *waitList) add(w *waiter) {
	w.listed, w.prev, w.next = true, l.last, nil
	if w.prev == nil {
		l.first = w
	} else {
		w.prev.next = w
	}
	l.last = w
}

func (l *waitList) remove(w *waiter) {
	if !w.listed {
		return
	}
	if w.prev == nil {
		l.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		l.last = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.listed, w.prev, w.next = false, nil, nil
}

// wake continues the waiters that are goroutines, up to the first task, which it
// returns, claimed. It returns nil when nobody waits.
func (l *waitList) wake() *resume.Slot {
	for {
		l.mu.Lock()
		w := l.first
		if w == nil {
			l.mu.Unlock()
			return nil
		}
		l.remove(w)
		h := w.h
		l.mu.Unlock()
		if h == (resume.Handle{}) {
			w.awake <- struct{}{}
		} else if s := h.Take(); s != nil {
			return s
		}
	}
}
