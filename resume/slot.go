package resume

import (
	"math/rand/v2"
	"sync/atomic"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/internal/release"
)

// A Slot is one task's current suspension, and the way in and out of it. It
// lives as long as the memory of the task, through all tasks that use it.
//
// The body's side calls Yield, Suspend, End; the owner's side Begin, Run,
// Resume, Finish, Done. The zero Slot is done.
type Slot struct {
	_    [0]atomic.Uint64 // word is 8-aligned on 32-bit targets too
	word uint64           // state, and generation while armed: I1
	coro *stackhop.Coro
	post post  // what the body asked for when it parked
	was  uint8 // the state before Claim or Take
	Flag bool  // what the task library needs close at hand: the body's, once that has begun

	nested uint8  // how it is to be published: see noted
	asked  uint32 // the task is to unwind at its next suspension: I5

	cell *cell // in which whoever runs the task finds who has parked: I6

	gen       uint64    // of the last arming: I2
	publisher Publisher // of postSuspend, or of a transfer
	link      *Slot     // while handed: the slot that transferred to this one. While to be published: the next
	ender     Ender
	own       cell
}

// A cell belongs to one slot at a time, which it names.
type cell struct{ slot *Slot }

// An Ender is told on the resumer's side how a task goes on that will not be
// resumed by a handle.
type Ender interface {
	// Ended: the body has ended and its frames are gone. It must call Finish
	// at last. The slot that it returns, claimed by Take or Claim, is run next,
	// on the frame that ran this one, and after that the slots of the Sequel.
	Ended() (next *Slot, then Sequel)

	// Asked: the task has suspended after Ask, and belongs to the callee, who
	// must see to it that Unwind is called, now or, after Defer, later. Or it
	// answers the slot, which is unwound next, on the frame that ran it.
	Asked() (next *Slot)
}

// A Sequel has more slots to be run, one after another.
type Sequel interface {
	// Next returns the next one, claimed by Take or Claim, or nil if there is none.
	// It is called just before the slot that it returned last runs.
	Next() *Slot
}

// A Holder has the slot of the task that now runs on a coroutine. A task
// library keeps one with Coro.SetLocal: so Transfer finds the current task.
type Holder interface{ Slot() *Slot }

// The states: what word is, but for the generation that armed adds. An odd
// word is that of a parked or freed task.
const (
	stateDone      = 0 // ended, or never begun
	stateFree      = 1 // done, and the owner needs it no more
	stateRunning   = 2
	stateYielded   = 3 // in the owner's hands
	stateUnwinding = 4 // running, and its frames are going away
	stateArmed     = 5 // under the handle of this generation
	stateHanded    = 6 // running, and has to settle who transferred to it
	stateDying     = 7 // parked, and only Claim continues it
	stateMask      = 7
	generation     = 8 // one
)

func (s *Slot) state() uint64 { return atomic.LoadUint64(&s.word) & stateMask }

// set changes the state. The caller owns the slot (I1).
func (s *Slot) set(state uint64) { release.Store64(&s.word, state) }

// Begin prepares a done slot for a task whose body runs on c. Nobody else may
// use the slot meanwhile.
func (s *Slot) Begin(c *stackhop.Coro, ender Ender) {
	s.coro, s.ender = c, ender
	if s.cell == nil {
		s.own.slot = s
		s.cell = &s.own
		s.gen = uint64(rand.Uint32()) & probing // so that not all probe at the same time
	}
	if s.WasAsked() {
		atomic.StoreUint32(&s.asked, 0)
	}
	s.set(stateRunning)
}

// Move is Begin for a task that could not begin elsewhere: what was asked of
// it stays.
func (s *Slot) Move(c *stackhop.Coro, ender Ender) {
	s.coro, s.ender = c, ender
	s.set(stateRunning)
}

// Rehost says that the task's body, which calls it, goes on on c: there it
// suspends and is resumed.
func (s *Slot) Rehost(c *stackhop.Coro) { s.coro = c }

// Hold leaves a task that Begin prepared to its owner, whose first Resume runs
// the body.
func (s *Slot) Hold() { s.give(stateYielded) }

// Run runs the first part of a task that Begin prepared: until it suspends or
// ends. Errors: those of Coro.TrySwitch; the task has not begun then, and is as
// Begin left it.
func (s *Slot) Run() error { return first(s, (*Slot).run, begun) }

// Resume is the owner's end of Yield: it runs the task on the calling
// goroutine until it suspends or ends.
//
// Errors: ErrDone; ErrRunning, also if somebody else resumes at the same time;
// ErrNotYielded if the task is suspended under a handle; cancel.ErrUnwinding if
// it waits to be unwound; ErrThreadLocked and stackhop.ErrBubble as in
// Handle.Resume.
func (s *Slot) Resume() error { return enter(s, (*Slot).run, (*Slot).next, settle) }

// Finish marks the task done. It is the last that an Ender does with the slot.
func (s *Slot) Finish() { s.set(stateDone) }

// Done reports whether the task has ended.
func (s *Slot) Done() bool { return s.state() <= stateFree }

// Free marks a done slot as one that the owner needs no more. Errors:
// ErrNotDone; ErrDone if it is free already.
func (s *Slot) Free() error {
	switch s.state() {
	case stateDone:
		s.set(stateFree)
		return nil
	case stateFree:
		return ErrDone
	}
	return ErrNotDone
}

// Reusable reports whether Free was called after the last task.
func (s *Slot) Reusable() bool { return s.state() == stateFree }

// State returns the state in words, for people. It may be out of date.
func (s *Slot) State() string { return stateNames[s.state()] }

var stateNames = [stateMask + 1]string{
	stateDone:      "done",
	stateFree:      "freed",
	stateRunning:   "running",
	stateYielded:   "yielded to its owner",
	stateUnwinding: "unwinding",
	stateArmed:     "suspended under a handle",
	stateHanded:    "running",
	stateDying:     "waiting to be unwound",
}
