//go:build !race

package sched

import "github.com/stackhop/stackhop/resume"

// setSlot is for the runner. On amd64 a plain store has release order, as
// loadSlot needs; an atomic one would wait for the store buffer.
func (b *beat) setSlot(s *resume.Slot) { b.slot = s }
