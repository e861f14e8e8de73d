package mmapstack

import (
	"sync"
	"sync/atomic"
)

// A ward is memory with guards in it: a slab, or static memory that has one.
type ward struct {
	lo, size    uintptr
	gap, stride uintptr   // each stride begins with a guard of gap bytes
	stacks      [][]Stack // one a stride; chunk in each slice but the last
	static      *Stack    // instead of stacks

	next atomic.Pointer[ward]
	prev *ward
}

// chunk stacks make 512 bytes on 64 bits, the most that the allocator gives without
// a header of 8 bytes in front (heapBitsInSpan, mbitmap.go, Go 1.25 to 1.27), and so
// at a multiple of 64: each is a cache line of its own, and no byte is wasted.
const chunk = 8

// newStacks returns n stacks.
func newStacks(n int) [][]Stack {
	stacks := make([][]Stack, 0, (n+chunk-1)/chunk)
	for ; n > 0; n -= chunk {
		stacks = append(stacks, make([]Stack, min(n, chunk)))
	}
	return stacks
}

// stack returns the i-th stack, or nil.
//
// nosplit: as GuardOwner.
//
//go:nosplit
func (w *ward) stack(i uintptr) *Stack {
	if c := i / chunk; c < uintptr(len(w.stacks)) {
		if some := w.stacks[c]; i%chunk < uintptr(len(some)) {
			return &some[i%chunk]
		}
	}
	return nil
}

// wards has all of them. Who looks from a signal handler takes no lock: links
// change by single stores, and a ward that is taken out keeps its own (M8).
var wards struct {
	mu   sync.Mutex // of changes
	head atomic.Pointer[ward]
}

func (w *ward) add() {
	wards.mu.Lock()
	defer wards.mu.Unlock()
	next := wards.head.Load()
	w.next.Store(next)
	if next != nil {
		next.prev = w
	}
	wards.head.Store(w)
}

func (w *ward) remove() {
	wards.mu.Lock()
	defer wards.mu.Unlock()
	next := w.next.Load()
	if next != nil {
		next.prev = w.prev
	}
	if w.prev == nil {
		wards.head.Store(next)
	} else {
		w.prev.next.Store(next)
	}
}

// wardIn returns a ward that has a part of the n bytes at lo, or nil.
func wardIn(lo, n uintptr) *ward {
	for w := wards.head.Load(); w != nil; w = w.next.Load() {
		if w.lo < lo+n && lo < w.lo+w.size {
			return w
		}
	}
	return nil
}

// GuardOwner returns the stack below whose memory addr lies in a guard, or nil. A
// guard between two stacks is that of the upper one. It is for signal handlers: it
// takes no lock, and all that it looks at stays where it is as long as no
// collection ends.
//
// nosplit: SP is on the signal stack.
//
//go:nosplit
func GuardOwner(addr uintptr) *Stack {
	for w := wards.head.Load(); w != nil; w = w.next.Load() {
		if addr < w.lo || addr-w.lo >= w.size {
			continue
		}
		switch {
		case (addr-w.lo)%w.stride >= w.gap:
			return nil // in a stack
		case w.static != nil:
			return w.static
		}
		return w.stack((addr - w.lo) / w.stride) // nil above the last stack
	}
	return nil
}
