// Package resume provides the [Handle], which stands for one suspension of one task.
// A lock, a timer or a scheduler needs nothing else to continue the task.
// [Handle.Resume] is an ordinary call: it runs the task on the calling goroutine and
// thread until the task suspends or ends (R2 in docs/requirements.md).
//
// A Handle is used once. Of several callers of Resume, one runs the task; the others,
// and all later ones, get [ErrStale], also when the task has ended and its memory
// serves another task (R6).
//
// Most programs get their handles from package ctx. [Slot] is for those who
// write a task library of their own.
//
// # Life of a slot
//
//	             Begin                    Suspend, Transfer with publish
//	done ───────────────▶ running ─────────────────────────────────▶ armed
//	  ▲  Finish             │ ▲ ◀────────────────────────────────────  │
//	  ├─────────────────────┘ │            Handle.Resume, .Transfer    │ Claim
//	  │                 Yield ▼ │ Slot.Resume                          │
//	  │                     yielded ──────────────────────────────────▶┤
//	  │                                       Claim                    │
//	  │        Finish                         Claim                    ▼
//	  └────────────────── unwinding ◀─────────────────────────────── dying
//
// A task that waits for one it has resumed counts as running. Claim(true) goes
// to unwinding at once; Claim(false) to dying, until what the task has to wait
// for is over.
//
// # Invariants
//
//	I1  A slot leaves yielded, armed and dying only by compare-and-swap on word;
//	    the winner owns the coroutine, and all other fields, until it stores word.
//	I2  The generation grows by one each time a slot is armed, and never returns.
//	I3  A Handle whose generation differs from its slot's is stale, for ever.
//	I4  A task's word leaves running after the task is parked, on the resumer's
//	    side, by a store with release order. Nothing of the slot is touched after it,
//	    but for the look at asked, and if that is set a new claim.
//	I5  Ask stores asked and Claim looks at word; a resumer stores word and looks
//	    at asked. A barrier on the one side or the other stands between the two,
//	    so an asked task is found suspended by one of them at least: by Claim, or
//	    by its resumer, who claims it back and calls Ender.Asked. It is the
//	    claim that decides if both find it.
//	I6  A running slot holds the cell that its chain's resumer has taken note of
//	    before it switched, and the cell names the slot. A transfer swaps the
//	    cells of the two. The resumer reads the cell after its switch: who has
//	    parked is its until it releases it.
//	I7  A slot that is to be published later (see postponed) is parked, and its word
//	    says running: it belongs to the Publish call that will see to it.
package resume
