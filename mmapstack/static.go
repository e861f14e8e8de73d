package mmapstack

import (
	"fmt"
	"runtime"
	"strings"
	"sync"

	"github.com/stackhop/stackhop"
)

// MinStatic is the least memory that Static takes: the least stack, its dead
// space, and what alignment may cost.
const MinStatic = 5632

// statics are the open static stacks, so that no memory serves two.
var statics struct {
	sync.Mutex
	open []*Stack
}

// A static is what only a static stack has.
type static struct {
	mem   []byte // all of it
	guard []byte // a part below Region().Lo that is closed
	ward  ward   // of guard, if there is one
}

// Static makes a stack of mem, which must not be Go heap: a package-level
// array, or memory that the caller mapped. The caller must not touch mem until
// Close. The highest quarter of it is dead space. WithGuard closes its lowest
// whole pages until Close; without it, the stack check in the prologue of every
// Go function is the only guard.
//
// An overflow of a static stack is fatal, also where package guard has installed its
// trap: "fatal error: stack size not a power of 2". The trap catches an overflow when
// the runtime copies the stack and comes to dead space that faults. What follows mem
// are other variables, or another mapping, that does not fault; and the panic
// of an overflow needs a reserve that mem would have to hold, of
// stackhop.MinReserve bytes at least. The runtime does nothing before the fatal
// error that a signal handler could notice. A caller that has a mapping of its own can
// give it a reserve and inaccessible dead space, and make a coroutine on it with
// stackhop.New and a Region that grows.
//
// Static asks the system whether mem can be written, and touches no page of it
// unless /proc/self/maps cannot be read. On systems other than Linux it does not
// ask.
//
// Errors: *SizeError if mem is too small, for WithGuard too; *MemoryError if mem
// lies in the Go heap, where the collector would take pointers into it for
// pointers to an object, cannot be written, or overlaps an open static stack or
// a mapping of this package; *MapError if the system refuses a guard.
func Static(mem []byte, opts ...Option) (*Stack, error) {
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	if len(mem) < MinStatic || len(mem) > MaxSize {
		return nil, &SizeError{"static memory", len(mem), MinStatic, MaxSize}
	}
	base := addrOf(mem)
	if o.grow.set {
		return nil, &MemoryError{base, len(mem), "static memory does not grow in place; use New for WithGrowth"}
	}
	if onHeap(&mem[0]) || onHeap(&mem[len(mem)-1]) {
		return nil, &MemoryError{base, len(mem), "it is Go heap; use a package-level array or mapped memory"}
	}

	var guard []byte
	rest := mem
	if o.guardSet {
		skip := int(alignUp(base, uintptr(pageCeil(1))) - base)
		most := (len(mem) - skip - MinStatic) &^ (pageCeil(1) - 1)
		if most <= 0 {
			return nil, &SizeError{"static memory with a guard", len(mem), skip + pageCeil(1) + MinStatic, MaxSize}
		}
		if o.guard < 0 || o.guard > most {
			return nil, &SizeError{"guard in static memory", o.guard, 0, most}
		}
		guard = mem[skip : skip+pageCeil(max(o.guard, 1))]
		rest = mem[skip+len(guard):]
	}
	all := new(struct {
		nested
		static
	})
	all.mem, all.guard = mem, guard
	s := all.init(StaticMem)
	s.state = stateOut
	r := staticRegion(addrOf(rest), len(rest))
	s.setRegion(r.Lo, r.Top, r.Hi)
	s.carving.size, s.carving.static = int(r.Top-r.Lo), &all.static

	statics.Lock()
	defer statics.Unlock()
	for _, t := range statics.open {
		if lo, hi := t.extent(); base < hi && lo < base+uintptr(len(mem)) {
			return nil, &MemoryError{base, len(mem), fmt.Sprintf("it overlaps the open %v", t)}
		}
	}
	if w := wardIn(base, uintptr(len(mem))); w != nil {
		return nil, &MemoryError{base, len(mem), fmt.Sprintf("it overlaps %#x-%#x, which this package has mapped for stacks; use memory of your own", w.lo, w.lo+w.size)}
	}
	if why := unusable(base, uintptr(len(mem))); why != "" {
		return nil, &MemoryError{base, len(mem), why}
	}
	if guard != nil {
		if err := protectNone(guard); err != nil {
			return nil, guardError(s, guard, err)
		}
		n := uintptr(len(guard))
		w := &all.ward
		w.lo, w.size, w.gap, w.stride, w.static = addrOf(guard), n, n, n, s
		w.add()
	}
	statics.open = append(statics.open, s)
	if watch := watching.Load(); watch != 0 {
		taken(s, watch)
	}
	return s, nil
}

// staticRegion lays a window into n bytes at base, with its dead space inside.
func staticRegion(base uintptr, n int) stackhop.Region {
	lo := alignUp(base, stackhop.RegionAlign)
	hi := alignDown(base+uintptr(n), stackhop.RegionAlign)
	if w := hi - lo; w&(w-1) == 0 {
		hi -= stackhop.RegionAlign
	}
	return stackhop.Region{Lo: lo, Top: hi - alignUp((hi-lo)/4, stackhop.RegionAlign), Hi: hi}
}

// extent returns the memory that a static stack takes, its guard included.
func (s *Stack) extent() (lo, hi uintptr) {
	r := s.Region()
	if g := s.carving.static.guard; g != nil {
		return addrOf(g), r.Hi
	}
	return r.Lo, r.Hi
}

// unstatic opens the guard again and forgets the stack.
func (s *Stack) unstatic() error {
	statics.Lock()
	defer statics.Unlock()
	if g := s.carving.static.guard; g != nil {
		if err := protectRW(g); err != nil {
			return guardError(s, g, err)
		}
		s.carving.static.ward.remove()
	}
	for i, t := range statics.open {
		if t == s {
			statics.open = append(statics.open[:i:i], statics.open[i+1:]...)
			break
		}
	}
	return nil
}

func guardError(s *Stack, guard []byte, err error) error {
	return &MapError{Op: "mprotect", Stacks: 1, Size: s.Size(), Bytes: len(guard), Errno: errnoOf(err)}
}

// onHeap asks the runtime whether p points into an object of the Go heap, by
// asking for a cleanup of that object, which is taken back at once.
// runtime.AddCleanup (mcleanup.go, Go 1.25 to 1.27) answers the zero Cleanup
// for linker-allocated memory and panics for memory that is not Go's. Any other
// panic is taken for a yes.
func onHeap(p *byte) (yes bool) {
	defer func() {
		if r := recover(); r != nil {
			yes = !strings.Contains(fmt.Sprint(r), "not in allocated block")
		}
	}()
	c := runtime.AddCleanup(p, func(struct{}) {}, struct{}{})
	yes = c != runtime.Cleanup{}
	c.Stop()
	runtime.KeepAlive(p)
	return yes
}
