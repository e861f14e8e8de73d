package resume

import "github.com/stackhop/stackhop"

// Current returns the slot of the task whose body calls it, or nil.
func Current() *Slot {
	c := stackhop.Current()
	if c == nil {
		return nil
	}
	h, _ := c.Local().(Holder)
	if h == nil {
		return nil
	}
	return h.Slot()
}

// Yield suspends the task into its owner's hands. It panics with a kernel
// error if the switch cannot be made: the body is locked to its thread
// (ErrThreadLocked), or the caller is not the body (stackhop.ErrRunning).
func (s *Slot) Yield() { leave(s, (*stackhop.Coro).Switch) }

// leave is inlined; see enter for why it is given what to call.
func leave(s *Slot, switchBack func(*stackhop.Coro)) {
	if s.suspended() {
		panic(ErrNotOnTask)
	}
	switchBack(s.coro)
}

// Suspend suspends the task under a new handle, and has p publish it on the
// resumer's side once the task is wholly parked. A handle that is resumed
// inside Publish continues the task at once. If Publish panics, the panic is the
// resumer's, and the task stays suspended under the handle.
//
// Suspend panics as Yield does.
func (s *Slot) Suspend(p Publisher) { park(s, p, (*stackhop.Coro).TrySwitch) }

// park is inlined; see enter for why it is given what to call.
func park(s *Slot, p Publisher, switchBack func(*stackhop.Coro) error) {
	if s.suspended() {
		panic(ErrNotOnTask)
	}
	s.publisher, s.post = p, postSuspend
	if err := switchBack(s.coro); err != nil {
		s.post = postYield
		panic(err)
	}
}

// End is the last that the body's side does with the slot; the coroutine parks
// or ends after it.
func (s *Slot) End() { s.post = postEnd }

// suspended reports whether some other goroutine's call would reach into a
// parked body. If the body is done or runs elsewhere, the kernel refuses.
func (s *Slot) suspended() bool { return s.state()&1 != 0 }
