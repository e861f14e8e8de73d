package sched

import (
	"sync/atomic"
	"unsafe"

	"github.com/stackhop/stackhop/resume"
)

// loadSlot returns what setSlot was given last.
func (b *beat) loadSlot() *resume.Slot {
	// SAFETY(N2): a *Slot is an unsafe.Pointer to a Slot.
	return (*resume.Slot)(atomic.LoadPointer((*unsafe.Pointer)(unsafe.Pointer(&b.slot))))
}
