package resume

import "github.com/stackhop/stackhop/cancel"

// Transfer suspends the current task into its owner's hands, as Yield does,
// and runs the task of h instead. The current task's resumer waits until that
// one, or whom it transfers to, suspends or ends. However long the chain, no
// stack grows.
//
// It returns nil when the owner continues the current task. Errors: ErrStale,
// ErrNotOnTask, ErrThreadLocked, stackhop.ErrBubble, cancel.ErrUnwinding: nothing
// happened, and h is as live as it was.
func (h Handle) Transfer() error { return h.TransferTo(nil) }

// TransferPublish is Transfer, but suspends the current task under a handle of
// its own. publish gets it on the side of the task of h, before that goes on. If
// publish panics, the panic is that task's.
func (h Handle) TransferPublish(publish func(own Handle)) error {
	return h.TransferTo(PublishFunc(publish))
}

// TransferTo is TransferPublish with p.Publish for publish.
func (h Handle) TransferTo(p Publisher) error {
	s := Current()
	if s == nil {
		return ErrNotOnTask
	}
	return s.Transfer(h, p)
}

// Transfer is Handle.TransferTo for the body of s, without the look-up.
func (s *Slot) Transfer(h Handle, p Publisher) error {
	switch s.state() {
	case stateRunning:
	case stateUnwinding:
		return cancel.ErrUnwinding
	default:
		return ErrNotOnTask
	}
	if !h.claim(stateHanded) {
		return ErrStale
	}
	to := h.slot
	s.publisher, to.link = p, s
	s.swapCells(to)
	if err := s.coro.Transfer(to.coro); err != nil {
		s.swapCells(to)
		s.publisher, to.link = nil, nil
		h.unclaim()
		return err
	}
	if s.state() == stateHanded { // the most frequent in a chain
		s.takeOver()
	} else {
		s.awake()
	}
	return nil
}

// swapCells has the one who runs s find to in its cell (I6).
func (s *Slot) swapCells(to *Slot) {
	s.cell, to.cell = to.cell, s.cell
	s.cell.slot, to.cell.slot = s, to
}

// takeOver is the first that a task does to which another has transferred: what
// after does for one that has switched to its resumer.
func (s *Slot) takeOver() {
	from := s.link
	s.link = nil
	s.set(stateRunning)
	if from.publisher == nil {
		from.give(stateYielded)
	} else {
		_ = Run(from.publishOn(nil)) // on a goroutine that has just taken over: nothing nests
	}
}
