package mmapstack

import (
	"fmt"

	"github.com/stackhop/stackhop"
)

// A Kind is where the memory of a Stack comes from.
type Kind uint8

// The kinds of storage.
const (
	Pooled    Kind = iota // Pool.Get
	Own                   // New
	Carved                // Stack.Carve
	StaticMem             // Static
)

func (k Kind) String() string {
	switch k {
	case Pooled:
		return "pooled"
	case Own:
		return "own"
	case Carved:
		return "carved"
	case StaticMem:
		return "static"
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// The states of a Stack. Only its owner (M4) changes them.
const (
	stateFree    uint8 = iota // not made yet, or closed
	stateIdle                 // in a pool
	stateOut                  // with its user
	stateEntered              // likewise, and a coroutine is on it
)

// A Stack is the memory of one coroutine stack.
//
// It has one owner at a time; its methods may be called from any goroutine,
// one at a time. After Close, or Put, it must not be used: its fields may
// already serve somebody else.
type Stack struct {
	attached any
	next     *Stack   // in a list of the pool, or the stack carved before this one
	slab     *slab    // what the stacks of one mapping have in common; nil for carved and static ones
	carving  *carving // which these have from the start; nil for others until Carve or SetResizer need it
	top      uintptr  // of the Region; 0 when closed
	room     uint32   // Top - Lo
	uses     uint16   // Puts that the pool has not counted yet
	home     uint8    // the shard of the pool that Put takes it back to
	kind     Kind
	dead     uint32 // Hi - Top
	state    uint8
	lean     bool // its pages were given back since it was last out

	// 64 bytes in all, a cache line that no two share: see newStacks. Neighbours
	// may make up the pair of lines that some processors fetch together. Put loads
	// home and uses while stores to state are under way, which takes longer if they
	// are in the same word.
}

const _ = uint32(MaxSize) // room and dead hold any size

// Region returns the stack's window. It shrinks while stacks are carved from
// the stack.
//
// nosplit: as GuardOwner.
//
//go:nosplit
func (s *Stack) Region() (r stackhop.Region) { // r has a name, so that callers make no copy of it
	top := s.top
	r.Lo, r.Top, r.Hi = top-uintptr(s.room), top, top+uintptr(s.dead)
	if sl := s.slab; sl != nil && sl.lay.first != 0 && top != 0 {
		r.First, r.Limit = uintptr(sl.lay.first), r.Lo+uintptr(sl.lay.reserve)
	}
	return r
}

// setRegion has Region answer these bounds, all 0 for a closed stack.
func (s *Stack) setRegion(lo, top, hi uintptr) {
	s.top, s.room, s.dead = top, uint32(top-lo), uint32(hi-top)
}

// setLo moves its lower end.
func (s *Stack) setLo(lo uintptr) { s.room = uint32(s.top - lo) }

// lo is Region().Lo.
func (s *Stack) lo() uintptr { return s.top - uintptr(s.room) }

func (s *Stack) grows() bool { return s.slab != nil && s.slab.lay.first != 0 }

// Size returns the usable bytes: whole pages for mapped stacks, of which up to
// Colours*ColourStep bytes at the top are left out for colouring.
func (s *Stack) Size() int {
	switch {
	case s.slab != nil:
		return s.slab.lay.usable()
	case s.carving != nil:
		return s.carving.size
	}
	return 0 // not made yet
}

// Kind returns where the memory comes from.
func (s *Stack) Kind() Kind { return s.kind }

// Pool returns the pool that a pooled stack came from. It is nil for the other
// kinds, and when the pool has unmapped the stack.
func (s *Stack) Pool() *Pool {
	if s.slab == nil {
		return nil
	}
	return s.slab.pool
}

func (s *Stack) String() string {
	return fmt.Sprintf("%v stack of %s at %#x", s.kind, bytesText(s.Size()), s.lo())
}

// Attach keeps one value with the stack, nil to forget it. It stays across
// Put and Get, so that what was prepared on the memory can be used again.
//
// While the stack is idle, what v stands for may have live frames in the
// topmost IdleLive bytes below Top, and nowhere else.
//
// Attach panics for a stack that is idle in its pool, or closed: its fields may
// serve another user.
func (s *Stack) Attach(v any) {
	if !s.held() {
		s.misattached()
	}
	s.attached = v
}

func (s *Stack) misattached() {
	panic("mmapstack: Attach to a stack that is closed, or idle in its pool; attach between Get and Put")
}

// Attached returns what Attach kept, or nil.
//
// nosplit: as GuardOwner.
//
//go:nosplit
func (s *Stack) Attached() any { return s.attached }

// An Occupant is an attached value that can be asked to leave the memory. It
// is asked before a stack is unmapped, closed, or stripped of its pages, and, if
// there is no resizer, before its lower end moves. If it returns an error the memory
// stays as it is.
type Occupant interface {
	Vacate() error
}

// Close frees the memory of a stack that is not pooled, after an attached
// Occupant has left it. Static memory is only no longer taken for a stack.
//
// Errors: ErrClosed for a stack that is closed; *OrderError if stacks carved
// from it or after it are open; *BusyError if a value is attached that is no
// Occupant or does not leave, or if a coroutine is on the stack (see Enter);
// *MapError if the system refuses. The stack
// stays as it was then. Close panics for a pooled stack: put it back instead.
func (s *Stack) Close() error {
	if s.kind == Pooled {
		panic("mmapstack: Close of a pooled stack; use Put")
	}
	if !s.held() {
		return ErrClosed
	}
	if n := s.carvings(); n != 0 {
		return &OrderError{n}
	}
	if err := s.closable(); err != nil {
		return err
	}
	if s.state == stateEntered && s.attached == nil {
		return s.notOut()
	}
	if err := s.evict(nil); err != nil {
		return err
	}
	watch := watching.Load()
	measure(s, watch)
	var err error
	switch s.kind {
	case Own:
		err = s.slab.unmap()
	case Carved:
		err = s.uncarve()
	case StaticMem:
		err = s.unstatic()
	}
	if err != nil {
		return err
	}
	if watch&watchMakers != 0 {
		forgetMaker(s)
	}
	s.state = stateFree
	s.setRegion(0, 0, 0)
	return nil
}

// closable returns what Close must check before anybody is evicted.
func (s *Stack) closable() error {
	if s.kind == Carved {
		return s.lastCarved()
	}
	return nil
}

// Evict makes the attached value leave, by the pool's OnFree hook if it has one,
// else as an Occupant. The caller must have the stack from its pool or own it.
//
// Errors: *BusyError if the value does not leave, and stays attached; ErrIdle and
// ErrClosed as Enter.
func (s *Stack) Evict() error {
	if !s.held() {
		return s.notOut()
	}
	if p := s.Pool(); p != nil {
		return s.evict(p.onFree)
	}
	return s.evict(nil)
}

// evict makes the attached value leave: by the hook if there is one, else as
// an Occupant.
func (s *Stack) evict(hook func(any)) error {
	v := s.attached
	if v == nil {
		return nil
	}
	if hook != nil {
		hook(v)
	} else if o, ok := v.(Occupant); !ok {
		return &BusyError{Why: fmt.Sprintf("a %T is attached that is no Occupant; call Attach(nil) when it has left", v)}
	} else if err := o.Vacate(); err != nil {
		return &BusyError{Why: "the attached Occupant does not leave", Err: err}
	}
	s.attached = nil
	if s.carving != nil {
		s.carving.resize = nil
	}
	return nil
}
