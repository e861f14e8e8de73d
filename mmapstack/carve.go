package mmapstack

import (
	"math"

	"github.com/stackhop/stackhop"
)

// carving is what a stack knows of nested storage, as a parent and as a child, and
// what one that is in no slab knows besides.
type carving struct {
	last   *Stack // the stack carved last and still open; others follow by next
	spare  *Stack // closed ones, for the next Carve
	resize func(lo uintptr) error

	parent *Stack
	by     Resizer // who moves the parent's end; nil: the parent's resize, if any

	size   int     // of a stack in no slab
	static *static // nil unless its memory is
}

// A nested is a stack in no slab, with its carving.
type nested struct {
	stack Stack
	more  carving
}

func (n *nested) init(kind Kind) *Stack {
	n.stack.kind, n.stack.carving = kind, &n.more
	return &n.stack
}

func (s *Stack) nest() *carving {
	if s.carving == nil {
		s.carving = new(carving)
	}
	return s.carving
}

// carvings returns how many stacks carved from s are open.
func (s *Stack) carvings() int {
	if s.carving == nil {
		return 0
	}
	return count(s.carving.last)
}

// SetResizer has fn called before the lower end of s moves, upwards by Carve
// and downwards by the Close of a carved stack, with the new Region().Lo. If fn
// returns an error, nothing moves. nil takes the resizer away. It stays with s
// as long as what is attached.
func (s *Stack) SetResizer(fn func(lo uintptr) error) { s.nest().resize = fn }

// Carve makes a stack of at least size bytes from the lowest part of s, which
// is smaller until the carved stack is closed. A third of size more goes to dead
// space. Carving the same stack again and again allocates only the first
// time.
//
// What runs on s must not have reached that part; who attaches a coroutine
// to s says so by a resizer. Without one an attached Occupant is asked to leave, now
// and at the Close of the carved stack. A carved stack has no guard of pages: the stack
// check in the prologue of every Go function is its guard.
//
// An overflow of a carved stack is fatal, also where package guard has installed its
// trap: "fatal error: stack size not a power of 2". The trap catches an overflow when
// the runtime copies the stack and comes to dead space that faults. Above a carved
// stack are the frames of its parent, which can be read; and the panic of an overflow
// needs a reserve of stackhop.MinReserve bytes at least, more than most carved stacks
// have. For a size that is not certain, use a pool of stacks that grow.
//
// Errors: *SizeError if size is out of range or s has too little room;
// *BusyError if the resizer or the Occupant refuses, or if something else is attached
// to s, or s grows; ErrIdle if s is in its pool; ErrClosed if s was closed, or
// unmapped by its pool.
func (s *Stack) Carve(size int) (*Stack, error) { return s.carve(size, nil) }

// A Resizer moves the lower end of what runs on a stack, with which memory of
// the stack it may use. A running *stackhop.Coro is one.
type Resizer interface{ Resize(lo uintptr) error }

// CarveFor is Carve for the very code that runs on s: body moves the lower
// end of what that may use, now and when the carved stack is closed, and that
// has to be done by code that runs on s, too. A resizer that was set is not
// asked.
func (s *Stack) CarveFor(body Resizer, size int) (*Stack, error) { return s.carve(size, body) }

// CarveSpace returns how many bytes of its parent a carved stack of size bytes
// takes, at most: its dead space and alignment included. It is math.MaxInt for a
// size that Carve refuses as too large.
func CarveSpace(size int) int {
	if size > MaxSize {
		return math.MaxInt
	}
	usable := alignUp(uintptr(max(size, MinSize)), carveAlign)
	return int(alignUp(usable+deadFor(usable), carveAlign)) + carveAlign
}

func (s *Stack) carve(size int, body Resizer) (*Stack, error) {
	if !s.held() {
		return nil, s.notOut()
	}
	if size < MinSize || size > MaxSize {
		return nil, &SizeError{"stack size", size, MinSize, MaxSize}
	}
	if s.grows() {
		return nil, &BusyError{Why: "the lower end of a stack that grows is its reserve; carve from one that does not"}
	}
	c := s.nest()
	if body == nil && c.resize == nil {
		_, ok := s.attached.(Occupant)
		switch {
		case s.attached != nil && !ok:
			return nil, &BusyError{Why: "something is attached that does not know of carving; call SetResizer"}
		case s.attached == nil && s.state == stateEntered:
			return nil, &BusyError{Why: "a coroutine is on the stack; call CarveFor from it, or SetResizer"}
		}
	}
	usable := alignUp(uintptr(size), carveAlign)
	whole := alignUp(usable+deadFor(usable), carveAlign)
	lo, hi := s.lo(), s.top+uintptr(s.dead)
	if w := hi - lo - whole; w&(w-1) == 0 {
		whole += carveAlign // what is left must be no power of two
	}
	if room := uintptr(s.room); room < whole+stackhop.MinRegion {
		most := 0
		if room > stackhop.MinRegion {
			most = int((room - stackhop.MinRegion) / 4 * 3)
		}
		return nil, &SizeError{"size to carve", size, MinSize, most}
	}
	if err := s.moveEnd(body, lo+whole); err != nil {
		return nil, &BusyError{Why: "the stack does not shrink", Err: err}
	}
	s.setLo(lo + whole)

	k := c.spare
	if k == nil {
		k = new(nested).init(Carved)
	} else {
		c.spare, k.next = k.next, nil
	}
	k.carving.parent, k.carving.by, k.carving.size = s, body, int(usable)
	k.setRegion(lo, lo+usable, lo+usable+deadFor(usable))
	k.state = stateOut
	k.next, c.last = c.last, k
	if watch := watching.Load(); watch != 0 {
		taken(k, watch)
	}
	return k, nil
}

// carveAlign is the alignment of carved stacks: a cache line, no two stacks share one.
const carveAlign = 64

// lastCarved returns *OrderError unless s is the last that its parent carved.
func (s *Stack) lastCarved() error {
	later := 0
	for k := s.carving.parent.carving.last; k != s; k = k.next {
		later++
	}
	if later != 0 {
		return &OrderError{later}
	}
	return nil
}

// moveEnd has body, or else the resizer of the stack, move the lower end. If there
// is neither, an Occupant leaves.
func (s *Stack) moveEnd(body Resizer, lo uintptr) error {
	if body != nil {
		return body.Resize(lo)
	}
	if s.carving.resize != nil {
		return s.carving.resize(lo)
	}
	if _, ok := s.attached.(Occupant); ok {
		return s.evict(nil)
	}
	return nil
}

// uncarve gives the memory of s back to its parent.
func (s *Stack) uncarve() error {
	parent, c := s.carving.parent, s.carving.parent.carving
	lo := s.lo() // as it was carved, since no stack carved from s is open
	if err := parent.moveEnd(s.carving.by, lo); err != nil {
		return &BusyError{Why: "the stack that was carved does not grow back", Err: err}
	}
	parent.setLo(lo)
	c.last = s.next
	s.next, c.spare = c.spare, s
	s.carving.parent, s.carving.by, s.carving.resize = nil, nil, nil
	return nil
}
