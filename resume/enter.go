package resume

import (
	"sync/atomic"

	"github.com/stackhop/stackhop"
)

// What the body asks for when it parks.
type post uint32

const (
	postYield    post = iota // nothing
	postSuspend              // arm, and publish
	postTransfer             // arm if there is a publisher, and run target
	postEnd                  // tell the ender
)

// enter claims s for its owner by moving its word from old to old-1, which is
// running, and runs the task. If run says that the task has just yielded, the
// slot is given back into its owner's hands. All else is for slow, which is told
// whether the claim succeeded.
//
// Enter, and all that calls it up to the user's loop, must be inlined there.
// The return address that a processor predicts for a RET after a switch is that
// of the other side: each function that returns between the switch and the loop
// costs a misprediction. The compiler inlines what costs at most 80, and a call
// costs 57, unless what is called is a parameter, which costs 17: that is why
// enter is given functions that are always the same. A test keeps it so.
func enter(s *Slot, old uint64, run func(*Slot) bool, slow func(*Slot, bool) error) error {
	claimed := atomic.CompareAndSwapUint64(&s.word, old, old-1)
	if claimed && run(s) {
		storeRelease(&s.word, old)
		return nil
	}
	return slow(s, claimed)
}

// first is enter for a task that nobody else can claim yet.
func first(s *Slot, run func(*Slot) bool, settle func(*Slot, bool) error) error {
	run(s)
	return settle(s, true)
}

// run runs the task and reports whether it has just yielded. If the switch was
// not made, failure says why.
func run(s *Slot) bool { return runBy(s, (*stackhop.Coro).TrySwitch) }

func runBy(s *Slot, switchTo func(*stackhop.Coro) error) bool {
	err := switchTo(s.coro)
	if err != nil {
		s.failure = err
		return false
	}
	return s.post == postYield
}

// settle does what is to be done after a switch, or why none was made.
//
//go:noinline
func settle(s *Slot, claimed bool) error {
	if !claimed {
		return s.refusal()
	}
	if err := s.failure; err != nil {
		s.failure = nil
		s.set(stateYielded)
		return err
	}
	return s.after()
}

// refusal says why the owner cannot resume now.
func (s *Slot) refusal() error {
	switch s.state() {
	case stateArmed:
		return ErrNotYielded
	case stateDone, stateFree:
		return ErrDone
	}
	return ErrRunning // or yielded again by now: it ran a moment ago
}
