//go:build linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28

package stackhop

import (
	"sync"
	"sync/atomic"
	"unsafe"
)

// nativeSet finds the coroutine of a goroutine whose stack the runtime owns.
type nativeSet struct {
	n atomic.Int64 // while 0, find costs one load
	m sync.Map     // g → *Coro
}

var currentNative nativeSet

func (s *nativeSet) add(c *Coro) {
	s.n.Add(1)
	s.m.Store(c.g, c)
}

func (s *nativeSet) remove(c *Coro) {
	s.m.Delete(c.g)
	s.n.Add(-1)
}

func (s *nativeSet) find() *Coro {
	if s.n.Load() == 0 {
		return nil
	}
	if v, ok := s.m.Load(getg()); ok {
		return v.(*Coro)
	}
	return nil
}

// coroAt turns the address in a region's header back into the pointer it was.
// SAFETY(K3): mainLoop's frame, on the very stack the caller runs on, keeps the
// object alive, and Go does not move heap objects.
//
//go:nocheckptr
func coroAt(p uintptr) *Coro { return *(**Coro)(unsafe.Pointer(&p)) }

// copyLabels copies g.labels. SAFETY(K1): the field is a pointer of both
// objects, and this store of a pointer type has its write barrier.
//
//go:nocheckptr
func copyLabels(to, from uintptr) {
	dst, src := to+gLabels, from+gLabels
	p, q := *(**unsafe.Pointer)(unsafe.Pointer(&dst)), *(**unsafe.Pointer)(unsafe.Pointer(&src))
	if *p != *q { // mostly nil both
		*p = *q
	}
}

// flagAt is the byte flag at a discovered address. SAFETY(K2): it lies in the
// runtime's data, which is never moved or freed.
//
//go:nocheckptr
func flagAt(addr uintptr) *uint8 { return *(**uint8)(unsafe.Pointer(&addr)) }
