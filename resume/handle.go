package resume

import "sync/atomic"

// A Handle stands for one suspension of one task. It is a small comparable
// value, safe to copy, to keep for ever, and to use from any goroutine.
//
//   - Used twice, or after the end of the task, it answers ErrStale.
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
type Publisher interface{ Publish(h Handle) }

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
func (h Handle) Resume() error { return enterBy(h, run, settleHandle) }

// enterBy is inlined; see enter for why it is given what to call.
func enterBy(h Handle, run func(*Slot) bool, settle func(Handle) error) error {
	if !h.claim() {
		return ErrStale
	}
	run(h.slot)
	return settle(h)
}

// settleHandle is settle for a claim by a handle.
//
//go:noinline
func settleHandle(h Handle) error {
	s := h.slot
	if s.post == postRefused {
		s.post = postYield
		if err := s.coro.TrySwitch(); err != nil {
			h.unclaim()
			return err
		}
	}
	return s.after()
}

// Transfer suspends the current task into its owner's hands, as Yield does,
// and runs the task of h instead. The current task's resumer waits until that
// one, or whom it transfers to, suspends or ends. However long the chain, no
// stack grows.
//
// It returns nil when the owner continues the current task. Errors: ErrStale,
// ErrNotOnTask, ErrThreadLocked: nothing happened, and h is as live as it was.
//
// If the task of h belongs to another testing/synctest bubble, that shows only
// when the current task is suspended: then h stays live, and the resumer's call
// answers stackhop.ErrBubble.
func (h Handle) Transfer() error { return h.transfer(nil) }

// TransferPublish is Transfer, but suspends the current task under a handle of
// its own. publish gets it before the task of h runs. publish runs on the
// resumer's side, as with Slot.Suspend; if it panics, h stays live.
func (h Handle) TransferPublish(publish func(own Handle)) error {
	return h.transfer(PublishFunc(publish))
}

// TransferTo is TransferPublish with p.Publish for publish.
func (h Handle) TransferTo(p Publisher) error { return h.transfer(p) }

func (h Handle) transfer(p Publisher) error {
	s := Current()
	if s == nil {
		return ErrNotOnTask
	}
	if !h.claim() {
		return ErrStale
	}
	s.target, s.publisher, s.post = h, p, postTransfer
	if err := s.coro.TrySwitch(); err != nil {
		s.target, s.publisher, s.post = Handle{}, nil, postYield
		h.unclaim()
		return err
	}
	return nil
}

// claim moves the slot from armed to running, if h is live.
func (h Handle) claim() bool {
	return h.slot != nil && atomic.CompareAndSwapUint64(&h.slot.word, h.word, stateRunning)
}

// unclaim undoes claim: h is live again.
func (h Handle) unclaim() { storeRelease(&h.slot.word, h.word) }
