package resume

import (
	"sync/atomic"

	"github.com/stackhop/stackhop/internal/release"
)

// A Handle stands for one suspension of one task. It is a small comparable
// value, safe to copy, to keep for ever, and to use from any goroutine.
//
//   - Used twice, or after the end of the task, it returns ErrStale.
//   - While the task runs, it is stale already: running is what used it up.
//   - Of several goroutines that use it at the same time, one wins.
//   - The zero Handle is stale.
type Handle struct {
	slot *Slot
	word uint64 // what slot.word is while the handle is live
}

// A Resumer can continue something once: a Handle, or what a scheduler puts
// in its place in order to run it elsewhere.
type Resumer interface{ Resume() error }

// A Publisher is given the handle of a task that has just suspended.
//
// Publish may resume that handle, and others. If calls of Publish nest more than a few
// levels deep on one goroutine in this way, the next suspension is published only when
// the innermost Publish has returned; the Resume inside that Publish returns earlier. So
// tasks that resume each other in Publish for ever need no stack for it.
type Publisher interface{ Publish(h Handle) }

// An Abandoner is a Publisher that wants to know, instead of from a deferred
// call, that the task will not return from Park because it is cancelled. Abandon
// is called on the task, before its deferred calls, whether or not Publish was.
type Abandoner interface{ Abandon() }

// A PublishFunc is a Publisher made from a function.
type PublishFunc func(h Handle)

// Publish calls f.
func (f PublishFunc) Publish(h Handle) { f(h) }

// Live reports whether the task is suspended under this handle. The answer may
// be out of date when it arrives, unless it is false.
func (h Handle) Live() bool {
	return h.slot != nil && atomic.LoadUint64(&h.slot.word) == h.word
}

// Resume runs the task on the calling goroutine until it suspends or ends, then
// returns nil. How the task ended is not told here but to its owner.
//
// Errors: ErrStale; ErrThreadLocked if the switch cannot be made, and the
// handle stays live then. Inside a testing/synctest bubble that the task does not
// belong to, the error is stackhop.ErrBubble, and the handle stays live.
//
// A panic comes only from a publish function that the task suspended with.
func (h Handle) Resume() error { return enterBy(h, (*Slot).run, settleHandle) }

// enterBy is inlined; see enter for why it is given what to call.
func enterBy(h Handle, run func(*Slot) *Slot, settle func(Handle, *Slot) error) error {
	if !h.claim(stateRunning) {
		return ErrStale
	}
	return settle(h, run(h.slot))
}

// settleHandle is settle for a claim by a handle.
//
//go:noinline
func settleHandle(h Handle, parked *Slot) error {
	switch parked.post {
	case postSuspend: // the most frequent: after without its loop, and publish
		parked.post = postYield
		if parked.nested != 0 && parked.postponed() {
			return nil
		}
		p := parked.publisher
		if p == nil || parked.nested != 0 || parked.probes() {
			_ = Run(parked.publish())
			return nil
		}
		parked.publisher = nil
		parked.gen += generation // I2
		own := Handle{parked, parked.gen + stateArmed}
		release.Store64(&parked.word, own.word)
		if parked.WasAsked() { // after the store: I5
			if taken, next := parked.reclaim(own.word); taken {
				_ = Run(next)
				return nil
			}
		}
		p.Publish(own)
		return nil
	case postRefused:
		var err error
		if parked, err = h.slot.again(); err != nil {
			h.unclaim()
			return err
		}
	}
	return parked.after()
}

// claim moves the slot from armed to a running state, if h is live.
func (h Handle) claim(to uint64) bool {
	return h.slot != nil && atomic.CompareAndSwapUint64(&h.slot.word, h.word, to)
}

// unclaim undoes claim: h is live again, unless the task is to unwind.
func (h Handle) unclaim() { h.slot.give(h.word) }

// Slot returns the slot of the task that h was made for. The slot may serve another
// task by now. Slot is for libraries that look tasks up.
func (h Handle) Slot() *Slot { return h.slot }
