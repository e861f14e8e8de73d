package resume

import (
	"sync/atomic"

	"github.com/stackhop/stackhop/cancel"
	"github.com/stackhop/stackhop/internal/release"
)

// Ask has the task unwind at its next suspension (I5). A Claim after it finds
// the task suspended, or the task's resumer calls Ender.Asked.
func (s *Slot) Ask() { atomic.CompareAndSwapUint32(&s.asked, 0, 1) }

// WasAsked reports whether Ask was called for this task.
func (s *Slot) WasAsked() bool { return atomic.LoadUint32(&s.asked) != 0 }

// Claim takes a suspended task away from whoever holds its handle, or from its
// owner, after Ask. If ready is false the task has to wait for something: it
// stays parked, and only a later Claim continues it.
//
// Calls for the same slot must not overlap.
func (s *Slot) Claim(ready bool) cancel.Claim {
	to := uint64(stateDying)
	if ready {
		to = stateUnwinding
	}
	for {
		w := atomic.LoadUint64(&s.word)
		switch w & stateMask {
		case stateDone, stateFree:
			return cancel.Gone
		case stateUnwinding:
			return cancel.Busy
		case stateRunning, stateHanded:
			if atomic.LoadUint32(&s.asked) != 1 {
				return cancel.Busy
			}
			// Its resumer may have released it a moment ago, without having seen
			// Ask: after the barrier one of the two sees the other (I5).
			storeLoadBarrier()
			atomic.StoreUint32(&s.asked, 2)
			continue
		case stateDying:
			if !ready {
				return cancel.Busy
			}
		}
		if !atomic.CompareAndSwapUint64(&s.word, w, to) {
			continue
		}
		if !ready {
			return cancel.Busy
		}
		s.was = uint8(w & stateMask)
		return cancel.Claimed
	}
}

// Unwind runs the deferred calls of a task that the caller has claimed, and so
// ends it. Errors: ErrThreadLocked, stackhop.ErrBubble: the task is suspended as
// before.
func (s *Slot) Unwind() error {
	parked, err := s.again()
	if err != nil {
		s.Untake()
		return err
	}
	return parked.after()
}

// Run runs a slot that Take or Ender.Ended has returned; nil is nothing to do.
// Errors: those of Unwind.
func Run(taken *Slot) error {
	if taken == nil {
		return nil
	}
	return taken.Unwind()
}

// Barrier returns after every other thread has had a full memory barrier. Who
// stores something, calls it, and finds a task not Done, knows that who will make
// it so will see what was stored.
func Barrier() { storeLoadBarrier() }

// Take uses h up as Resume does, but leaves it to the caller to run the task:
// by returning the slot from Ender.Ended. It returns nil if h is stale.
func (h Handle) Take() *Slot {
	if !h.claim(stateRunning) {
		return nil
	}
	h.slot.was = stateArmed
	return h.slot
}

// Untake undoes Take and Claim.
func (s *Slot) Untake() {
	word := uint64(s.was)
	if s.was == stateArmed {
		word += s.gen // of this arming: it is armed anew only after it has run
	}
	if s.state() == stateRunning {
		s.give(word)
		return
	}
	s.set(word)
}

// Adopt makes a task that Ender.Asked was given one that Unwind may be called
// for. Defer leaves it to a later Claim instead; the task is the callee's no
// more after it.
func (s *Slot) Adopt() {
	s.was = stateDying
	s.set(stateUnwinding)
}

// Defer: see Adopt.
func (s *Slot) Defer() { s.set(stateDying) }

// release releases the slot as word says. If the task was asked to unwind and
// nobody else has taken it since, its ender gets it, and may answer who is to be
// run next.
func (s *Slot) release(word uint64) (next *Slot) {
	release.Store64(&s.word, word)
	if s.WasAsked() { // after the store: I5
		_, next = s.reclaim(word)
	}
	return next
}

// give is release, and runs the one who is to be next.
func (s *Slot) give(word uint64) { _ = Run(s.release(word)) }

// reclaim takes the slot back that was just released, for its ender. It may
// serve another task by now: then that one is asked, or gets it back.
//
//go:noinline
func (s *Slot) reclaim(word uint64) (taken bool, next *Slot) {
	for atomic.CompareAndSwapUint64(&s.word, word, stateRunning) {
		if s.WasAsked() {
			return true, s.ender.Asked()
		}
		release.Store64(&s.word, word)
		if !s.WasAsked() {
			break
		}
	}
	return false, nil
}
