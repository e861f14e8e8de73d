package resume

import (
	"sync/atomic"

	"github.com/stackhop/stackhop"
)

// What the body asks for when it parks, or why it did not run.
type post uint32

const (
	postYield    post = iota // nothing
	postSuspend              // arm, and publish
	postTransfer             // arm if there is a publisher, and run target
	postEnd                  // tell the ender
	postRefused              // nothing: the body did not run
)

// enter claims s for its owner and runs the task. If run says that the task has
// just yielded, the slot is given back into its owner's hands. All else is for
// settle.
//
// Enter, and all that calls it up to the user's loop, must be inlined there.
// The return address that a processor predicts for a RET after a switch is that
// of the other side: each function that returns between the switch and the loop
// costs a misprediction. The compiler inlines what costs at most 80, and a call
// costs 57, unless what is called is a parameter, which costs 17: that is why
// enter is given functions that are always the same. A test keeps it so.
func enter(s *Slot, run func(*Slot) bool, settle func(*Slot) error) error {
	if !atomic.CompareAndSwapUint64(&s.word, stateYielded, stateRunning) {
		return refusals[s.state()]
	}
	if run(s) {
		storeRelease(&s.word, stateYielded)
		return nil
	}
	return settle(s)
}

// first is enter for a task that nobody else can claim yet.
func first(s *Slot, run func(*Slot) bool, settle func(*Slot) error) error {
	run(s)
	return settle(s)
}

// run runs the task and reports whether it has just yielded.
func run(s *Slot) bool { return runBy(s, (*stackhop.Coro).TrySwitch) }

func runBy(s *Slot, switchTo func(*stackhop.Coro) error) bool {
	if switchTo(s.coro) != nil {
		s.post = postRefused
	}
	return s.post == postYield
}

// settle does what is to be done after a switch. If none was made it tries
// again: that is the cheapest way for run to tell the error.
//
//go:noinline
func settle(s *Slot) error {
	if s.post == postRefused {
		s.post = postYield
		if err := s.coro.TrySwitch(); err != nil {
			s.set(stateYielded)
			return err
		}
	}
	return s.after()
}

// refusals says why the owner cannot resume, by the state found after the claim
// failed.
var refusals = [stateMask + 1]error{
	stateDone:    ErrDone,
	stateFree:    ErrDone,
	stateRunning: ErrRunning,
	stateYielded: ErrRunning, // it ran a moment ago
	stateArmed:   ErrNotYielded,
}
