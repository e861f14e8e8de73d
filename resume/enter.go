package resume

import (
	"sync/atomic"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/cancel"
	"github.com/stackhop/stackhop/internal/release"
)

// What the body asks for when it parks, or why it did not run.
type post uint8

const (
	postYield   post = iota // nothing
	postSuspend             // arm, and publish
	postEnd                 // tell the ender
	postRefused             // nothing: the body did not run
)

// enter claims s for its owner and runs the task. If who parked has
// just yielded, next gives the slot back into its owner's hands. All else is for
// settle.
//
// Enter, and all that calls it up to the user's loop, must be inlined there.
// The return address that a processor predicts for a RET after a switch is that
// of the other side: each function that returns between the switch and the loop
// costs a misprediction. The compiler inlines what costs at most 80, and a call
// costs 57, unless what is called is a parameter, which costs 17: that is why
// The functions given to enter are always the same. Each is a method or must not be
// inlined: in a program built with a profile the compiler replaces a hot call of any
// other parameter by a comparison and two calls (PGO devirtualization), which costs too
// much. A test checks this.
func enter(s *Slot, run func(*Slot) *Slot, next func(*Slot, func(*Slot, bool) error) error, settle func(*Slot, bool) error) error {
	if !atomic.CompareAndSwapUint64(&s.word, stateYielded, stateRunning) {
		return refusals[s.state()]
	}
	return next(run(s), settle)
}

// next is inlined: it gives the slot back, or leaves it to settle.
func (s *Slot) next(settle func(*Slot, bool) error) error {
	released := s.post == postYield
	if released {
		release.Store64(&s.word, stateYielded)
		if atomic.LoadUint32(&s.asked) == 0 { // after the store: I5
			return nil
		}
	}
	return settle(s, released)
}

// first is enter for a task that nobody else can claim yet.
func first(s *Slot, run func(*Slot) *Slot, begun func(*Slot) error) error { return begun(run(s)) }

// begun is settle for first. A task that could not begin is nobody else's to claim.
//
//go:noinline
func begun(parked *Slot) error {
	if parked.post == postRefused {
		var err error
		if parked, err = parked.again(); err != nil {
			return err
		}
	}
	return parked.after()
}

// run runs the task and returns who has parked in the end: it, or to whom it
// transferred.
func (s *Slot) run() *Slot { return runBy(s, (*stackhop.Coro).TrySwitch) }

func runBy(s *Slot, switchTo func(*stackhop.Coro) error) *Slot {
	cell := s.cell
	if switchTo(s.coro) != nil {
		s.post = postRefused
	}
	return cell.slot
}

// settle does what is to be done after a switch, or what is left of it if the
// slot was released: see to it that an asked task unwinds. If no switch was made
// it tries again: that is the cheapest way for run to tell the error.
//
//go:noinline
func settle(s *Slot, released bool) error {
	if released {
		_, next := s.reclaim(stateYielded)
		_ = Run(next)
		return nil
	}
	if s.post == postRefused {
		parked, err := s.again()
		if err != nil {
			s.give(stateYielded)
			return err
		}
		s = parked
	}
	return s.after()
}

// again is run after a refusal.
func (s *Slot) again() (parked *Slot, err error) {
	s.post = postYield
	cell := s.cell
	err = s.coro.TrySwitch()
	return cell.slot, err
}

// refusals says why the owner cannot resume, by the state found after the claim
// failed.
var refusals = [stateMask + 1]error{
	stateDone:    ErrDone,
	stateFree:    ErrDone,
	stateRunning: ErrRunning,
	stateYielded: ErrRunning, // it ran a moment ago
	stateArmed:   ErrNotYielded,

	stateUnwinding: ErrRunning,
	stateDying:     cancel.ErrUnwinding,
	stateHanded:    ErrRunning,
}
