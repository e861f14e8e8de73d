package leaf

import (
	"sync/atomic"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/internal/release"
)

// A Mutex is a mutual exclusion lock, for tasks and plain goroutines alike. The
// zero Mutex is unlocked. It must not be copied after first use.
//
// It is fair: Unlock gives it to whoever has waited longest, who goes on at
// once, in a call that Unlock makes. Only while nobody waits can somebody who
// comes take it.
type Mutex struct {
	plain
	word  uint32
	q     queue
	debts []debt // see Cond
}

// The bits of word. With all of them clear no lock is taken.
const (
	locked  = 1 << iota
	waiting // somebody is in the queue, or was
	owed    // there are debts
)

// Lock waits until the mutex is the caller's. Errors: ErrUnwinding,
// ErrThreadLocked; the mutex is not the caller's then.
func (m *Mutex) Lock() error { return lockBy(m, (*Mutex).queue, (*node).wait) }

// lockBy and unlockBy are inlined into the user's code, and given what they
// call, because each function that returns after a switch costs a misprediction: see
// resume.enter. A test keeps it so. They look before they swap: a swap that fails
// costs as much as one that does not.
func lockBy(m *Mutex, queue func(*Mutex) (*node, *ctx.Task), wait func(*node, *ctx.Task) error) error {
	if atomic.LoadUint32(&m.word) == 0 && atomic.CompareAndSwapUint32(&m.word, 0, locked) {
		return nil
	}
	return wait(queue(m))
}

// queue makes a waiter of the current task. A plain goroutine blocks; and maybe
// the mutex has become free: no task then.
//
//go:noinline
func (m *Mutex) queue() (*node, *ctx.Task) {
	t := ctx.Current()
	if m.q.isDry(0) {
		if n := m.q.mine(t); n != nil {
			return n, t // Publish does the rest
		}
	}
	m.q.mu.Lock()
	if m.admit(nil) {
		m.q.mu.Unlock()
		return nil, nil
	}
	n := m.q.take(m, t)
	m.q.mu.Unlock()
	if t == nil {
		m.q.blockUnless(n)
	}
	return n, t
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
func (m *Mutex) Unlock() { unlockBy(m, (*Mutex).pass, (*node).hand) }

func unlockBy(m *Mutex, pass func(*Mutex) *node, hand func(*node) error) {
	if atomic.LoadUint32(&m.word) != locked || !atomic.CompareAndSwapUint32(&m.word, locked, 0) {
		_ = hand(pass(m))
	}
}

// pass gives the mutex to the next in line, and answers whom the caller is to hand
// it to for that, with the guard held. None is left to hand it to if that is nil.
//
//go:noinline
func (m *Mutex) pass() *node {
	m.q.mu.Lock()
	w := atomic.LoadUint32(&m.word)
	if w&owed != 0 && m.settle() {
		m.q.mu.Unlock()
		return nil
	}
	if w&locked == 0 {
		m.q.mu.Unlock()
		panic("leaf: Unlock of an unlocked Mutex")
	}
	n := m.q.pop(0)
	if n == nil {
		m.next()
		m.q.wake()
		return nil
	}
	return n
}

// next gives the mutex, which is locked, to the next in line, or to nobody. While
// there is one more bit, only who has the guard changes word: a store will do.
func (m *Mutex) next() {
	if n := m.q.front(0); n != nil {
		m.q.grant(n)
		return
	}
	release.Store32(&m.q.dry, 0)
	if w := atomic.LoadUint32(&m.word); w == locked {
		atomic.AndUint32(&m.word, owed)
	} else {
		release.Store32(&m.word, w&owed)
	}
}

func (m *Mutex) admit(*node) bool {
	for {
		w := atomic.LoadUint32(&m.word)
		switch {
		case w&locked == 0:
			if atomic.CompareAndSwapUint32(&m.word, w, w|locked) {
				return true
			}
		case w&waiting != 0 || atomic.CompareAndSwapUint32(&m.word, w, w|waiting):
			release.Store32(&m.q.dry, 1)
			return false
		}
	}
}

func (m *Mutex) refuse(*node) { m.next() }

// left leaves it to the next Unlock to find that nobody waits. Were it seen to here
// and in pass, a mutex that goes round would have the bit set and cleared each time.
func (m *Mutex) left() {}
