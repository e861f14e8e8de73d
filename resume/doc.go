// Package resume has the handle of a suspension: the one value that a lock, a
// timer or a scheduler needs in order to continue a task, and all it can do
// with it. Whoever calls [Handle.Resume] runs the task right there, on its own
// thread, as an ordinary call (R2).
//
// A [Handle] is used once. The claim is one compare-and-swap; every other
// contender, and everybody who comes later, gets [ErrStale], also when the
// task has ended and its memory serves another one (R6).
//
// Most programs get their handles from package ctx. [Slot] is for those who
// write a task library of their own.
//
// # Life of a slot
//
//	             Begin                    Suspend, Transfer with publish
//	done ───────────────▶ running ─────────────────────────────────▶ armed
//	  ▲  Finish             │ ▲ ◀────────────────────────────────────  │
//	  └─────────────────────┘ │            Handle.Resume, .Transfer
//	                    Yield ▼ │ Slot.Resume
//	                        yielded
//
// A task that waits for one it has resumed counts as running.
//
// # Invariants
//
//	I1  A slot leaves yielded and armed only by compare-and-swap on word; the
//	    winner owns the coroutine, and all other fields, until it stores word.
//	I2  The generation grows by one each time a slot is armed, and never returns.
//	I3  A Handle whose generation differs from its slot's is stale, for ever.
//	I4  A task's word leaves running after the task is parked, on the resumer's
//	    side, by a store with release order. Nothing of the slot is touched after it.
package resume
