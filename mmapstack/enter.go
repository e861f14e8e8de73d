package mmapstack

import "fmt"

// Enter marks s as the stack of a live coroutine, until Leave. A library that
// starts a coroutine on a stack calls it first, wherever the stack came from.
// Between Enter and Leave:
//
//   - Put panics, so that the pool cannot hand out memory that is in use;
//   - Enter returns an error, so that two coroutines cannot share s;
//   - Close returns an error, unless the attached Occupant leaves.
//
// Errors: *BusyError if s is entered already; ErrIdle if s is in its pool;
// ErrClosed if s was closed, or unmapped by Trim or Close of its pool.
func (s *Stack) Enter() error {
	if s.state != stateOut {
		return s.notOut()
	}
	s.state = stateEntered
	return nil
}

// Leave ends what Enter began: no frame is left on s but those of what is
// attached to it, in the topmost IdleLive bytes. It panics if s is not entered.
func (s *Stack) Leave() {
	if s.state != stateEntered {
		s.misleft()
	}
	s.state = stateOut
}

// Entered reports whether a coroutine is on s: see Enter.
func (s *Stack) Entered() bool { return s.state == stateEntered }

// notOut returns why s, which is not out, cannot be entered.
func (s *Stack) notOut() error {
	switch s.state {
	case stateEntered:
		return &BusyError{Why: "a coroutine is on the stack; let it end first"}
	case stateIdle:
		return ErrIdle
	}
	return ErrClosed
}

func (s *Stack) misleft() {
	panic(fmt.Sprintf("mmapstack: Leave of a %v stack on which no coroutine is; call it once for each Enter", s.kind))
}

// held reports whether s is its user's, with a coroutine on it or not.
func (s *Stack) held() bool { return s.state == stateOut || s.state == stateEntered }
