package resume

import (
	"runtime"
	"sync/atomic"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/cancel"
)

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
// (ErrThreadLocked), or the caller is not the body (stackhop.ErrRunning); and
// with cancel.ErrUnwinding in a deferred call of a task that is cancelled.
//
// If the task is cancelled meanwhile, Yield does not return: the deferred calls
// run, as after runtime.Goexit.
func (s *Slot) Yield() { leave(s, (*stackhop.Coro).Switch, (*Slot).mayPark, (*Slot).awake) }

// leave is inlined; see enter for why it is given what to call.
func leave(s *Slot, switchBack func(*stackhop.Coro), mayPark, awake func(*Slot)) {
	mayPark(s)
	switchBack(s.coro)
	awake(s)
}

// Suspend suspends the task under a new handle, and has p publish it on the
// resumer's side once the task is wholly parked. A handle that is resumed
// inside Publish continues the task at once. If Publish panics, the panic is the
// resumer's, and the task stays suspended under the handle.
//
// Suspend panics as Yield does, and like Yield does not return to a task that
// is cancelled. A task that was to be cancelled before is not published.
func (s *Slot) Suspend(p Publisher) {
	park(s, p, (*Slot).ready, (*stackhop.Coro).TrySwitch, (*Slot).parked)
}

// park is inlined; see enter for why it is given what to call.
func park(s *Slot, p Publisher, ready func(*Slot, Publisher), switchBack func(*stackhop.Coro) error, parked func(*Slot, error)) {
	ready(s, p)
	parked(s, switchBack(s.coro))
}

// ready and parked are inlined: what Suspend does before and after its switch.
func (s *Slot) ready(p Publisher) {
	s.mayPark()
	s.publisher, s.post = p, postSuspend
}

func (s *Slot) parked(err error) {
	if err != nil || atomic.LoadUint64(&s.word) != stateRunning {
		notResumed(s, err)
	}
}

// Park is Suspend, but returns what Suspend panics with: a
// *stackhop.ThreadLockError, stackhop.ErrRunning, cancel.ErrUnwinding. If p is an
// Abandoner too, that is how it learns of a cancel.
func (s *Slot) Park(p Publisher) error {
	return parkFor(s, p, (*Slot).prepared, (*stackhop.Coro).TrySwitch, (*Slot).returned)
}

// parkFor is inlined; see enter for why it is given what to call.
func parkFor(s *Slot, p Publisher, prepared func(*Slot, Publisher) error, switchBack func(*stackhop.Coro) error, returned func(*Slot, Publisher, error) error) (err error) {
	if err = prepared(s, p); err == nil {
		err = returned(s, p, switchBack(s.coro))
	}
	return
}

// prepared and returned are inlined: what Park does before and after its switch.
func (s *Slot) prepared(p Publisher) error {
	if atomic.LoadUint64(&s.word) != stateRunning {
		return cannotPark(s)
	}
	s.publisher, s.post = p, postSuspend
	return nil
}

func (s *Slot) returned(p Publisher, err error) error {
	if err != nil || atomic.LoadUint64(&s.word) != stateRunning {
		return notParked(s, p, err)
	}
	return nil
}

// ParkAs is Park with p, but who is told of a cancel is on, if it is an Abandoner.
func (s *Slot) ParkAs(p, on Publisher) error {
	if err := s.prepared(p); err != nil {
		return err
	}
	return s.returned(on, s.coro.TrySwitch())
}

// cannotPark returns why the body cannot.
//
//go:noinline
func cannotPark(s *Slot) error {
	if s.Unwinding() {
		return cancel.ErrUnwinding
	}
	return ErrNotOnTask
}

// notParked is what Park does if the kernel refused the switch, or else goOn.
//
//go:noinline
func notParked(s *Slot, p Publisher, err error) error {
	if err != nil {
		s.publisher, s.post = nil, postYield
		return err
	}
	if a, ok := p.(Abandoner); ok && s.Unwinding() {
		a.Abandon()
	}
	goOn(s)
	return nil
}

// End is the last that the body's side does with the slot; the coroutine parks
// or ends after it.
func (s *Slot) End() { s.post = postEnd }

// Exit unwinds the body, on which it is called, as a cancel of it would.
func (s *Slot) Exit() {
	s.set(stateUnwinding)
	runtime.Goexit()
}

// Unwinding reports whether the task's frames are going away because of a
// cancel. It is the body's to ask.
func (s *Slot) Unwinding() bool { return s.state() == stateUnwinding }

// mayPark is inlined: the checks before a switch.
func (s *Slot) mayPark() {
	if atomic.LoadUint64(&s.word) != stateRunning {
		mayNotPark(s)
	}
}

// awake is inlined: the check after a switch.
func (s *Slot) awake() {
	if atomic.LoadUint64(&s.word) != stateRunning {
		goOn(s)
	}
}

// mayNotPark panics because the body cannot park, or because some other
// goroutine's call would reach into a parked body. If the body is done or runs
// elsewhere, the kernel refuses.
//
//go:noinline
func mayNotPark(s *Slot) {
	switch w := s.state(); {
	case w == stateUnwinding:
		panic(cancel.ErrUnwinding)
	case w&1 != 0:
		panic(ErrNotOnTask)
	}
}

// notResumed is what parked does if the kernel refused the switch, or else goOn.
//
//go:noinline
func notResumed(s *Slot, err error) {
	if err != nil {
		s.publisher, s.post = nil, postYield
		panic(err)
	}
	goOn(s)
}

// goOn is awake for a task that was not just resumed: somebody has transferred
// to it, or claimed it in order to unwind it.
//
//go:noinline
func goOn(s *Slot) {
	if s.state() == stateHanded {
		s.takeOver()
		return
	}
	runtime.Goexit()
}
