//go:build !amd64 || !linux || race

package sched

import (
	"sync/atomic"
	"unsafe"

	"github.com/stackhop/stackhop/resume"
)

// setSlot is for the runner.
func (b *beat) setSlot(s *resume.Slot) {
	// SAFETY(N2): a *Slot is an unsafe.Pointer to a Slot.
	atomic.StorePointer((*unsafe.Pointer)(unsafe.Pointer(&b.slot)), unsafe.Pointer(s))
}
