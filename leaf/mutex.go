package leaf

import (
	"sync/atomic"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
)

// A Mutex is a mutual exclusion lock, for tasks and plain goroutines alike. The
// zero Mutex is unlocked. It must not be copied after first use.
//
// It is fair: Unlock gives it to whoever has waited longest, who goes on at
// once, in a call that Unlock makes. Only while nobody waits can somebody who
// comes take it.
type Mutex struct {
	word  uint32
	q     queue[struct{}]
	heir  *waiter // the last one that pass has named
	debts []debt  // see Cond
}

// The bits of word. With all of them clear no lock is taken.
const (
	locked  = 1 << iota
	waiting // somebody is in the queue, or was
	owed    // there are debts
)

// Lock waits until the mutex is the caller's. Errors: ErrUnwinding,
// ErrThreadLocked; the mutex is not the caller's then.
func (m *Mutex) Lock() error {
	return lockBy(m, (*Mutex).queue, park, leave)
}

// lockBy and unlockBy are inlined into the user's code, and given what they
// call, because each function that returns after a switch costs a misprediction: see
// resume.enter. A test keeps it so.
func lockBy(m *Mutex, queue func(*Mutex) *waiter, park func(*waiter) *waiter, leave func(*waiter) error) error {
	if atomic.CompareAndSwapUint32(&m.word, 0, locked) {
		return nil
	}
	return leave(park(queue(m)))
}

// A waiter is one Lock that waits.
type waiter = node[struct{}]

// queue makes a waiter of the current task. A plain goroutine blocks; and maybe
// the mutex has become free: nil then.
//
//go:noinline
func (m *Mutex) queue() *waiter {
	m.q.mu.Lock()
	if m.admit(nil) {
		m.q.mu.Unlock()
		return nil
	}
	n := m.q.take(m, 0, struct{}{})
	m.q.mu.Unlock()
	if n.task = ctx.Current(); n.task != nil {
		return n
	}
	_, _ = m.q.blockUnless(n)
	return nil
}

func park(n *waiter) *waiter {
	if n != nil {
		n.err = n.task.Park(n)
	}
	return n
}

//go:noinline
func leave(n *waiter) error {
	if n == nil {
		return nil
	}
	err := n.err
	n.q.mu.Lock()
	n.q.put(n)
	n.q.mu.Unlock()
	return err
}

// TryLock takes the mutex if it is free, and reports whether it did.
func (m *Mutex) TryLock() bool {
	for {
		w := atomic.LoadUint32(&m.word)
		if w&locked != 0 {
			return false
		}
		if atomic.CompareAndSwapUint32(&m.word, w, w|locked) {
			return true
		}
	}
}

// Unlock gives the mutex to the one who waits longest, and runs it until it
// suspends or ends. Anybody may unlock a locked mutex. Like its twin in package
// sync, Unlock of an unlocked one is a mistake that the program should not
// survive: it panics. See also StrandedError.
func (m *Mutex) Unlock() {
	unlockBy(m, (*Mutex).pass, resume.Handle.Resume, (*Mutex).notResumed)
}

func unlockBy(m *Mutex, pass func(*Mutex) resume.Handle, resume func(resume.Handle) error, notResumed func(*Mutex, resume.Handle)) {
	if !atomic.CompareAndSwapUint32(&m.word, locked, 0) {
		if h := pass(m); resume(h) != nil {
			notResumed(m, h)
		}
	}
}

// pass gives the mutex to the next in line, and answers the handle that the
// caller is to resume for that. None is left to resume if it is zero.
//
//go:noinline
func (m *Mutex) pass() resume.Handle {
	m.q.mu.Lock()
	w := atomic.LoadUint32(&m.word)
	if w&owed != 0 && m.settle() {
		m.q.mu.Unlock()
		return resume.Handle{}
	}
	if w&locked == 0 {
		m.q.mu.Unlock()
		panic("leaf: Unlock of an unlocked Mutex")
	}
	n := m.q.pop(0)
	if n == nil {
		m.next()
		m.q.wake()
		return resume.Handle{}
	}
	m.left()
	m.heir = n
	h := n.h
	m.q.mu.Unlock()
	return h
}

// notResumed is called if the one that pass named did not go on. It tries again:
// that is how Unlock, which has no room for it, leaves the error to be told. If the
// mutex has passed to others since, all that is settled.
//
//go:noinline
func (m *Mutex) notResumed(h resume.Handle) {
	if h == (resume.Handle{}) {
		return // there was none
	}
	m.q.mu.Lock()
	n := m.heir
	m.q.mu.Unlock()
	if err := h.Resume(); err != nil {
		m.q.notResumed(n, h, err)
	}
}

// next gives the mutex, which is locked, to the next in line, or to nobody.
func (m *Mutex) next() {
	n := m.q.front(0)
	if n == nil {
		atomic.AndUint32(&m.word, owed)
		return
	}
	m.q.grant(n)
	m.left()
}

func (m *Mutex) admit(*waiter) bool {
	for {
		w := atomic.LoadUint32(&m.word)
		if w&locked == 0 {
			if atomic.CompareAndSwapUint32(&m.word, w, w|locked) {
				return true
			}
		} else if w&waiting != 0 || atomic.CompareAndSwapUint32(&m.word, w, w|waiting) {
			return false
		}
	}
}

func (m *Mutex) refuse(*waiter) { m.next() }

// left makes Unlock fast again once nobody waits.
func (m *Mutex) left() {
	if m.q.wait[0].empty() && atomic.LoadUint32(&m.word)&waiting != 0 {
		atomic.AndUint32(&m.word, locked|owed)
	}
}
