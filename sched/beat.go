package sched

import (
	"sync/atomic"

	"github.com/stackhop/stackhop/internal/release"
	"github.com/stackhop/stackhop/resume"
)

// A beat tells the lookout of a scheduler which item its runner, the goroutine
// that runs its items, is at. A worker of a Pool has one of its own.
//
//	B1  word is written by the runner, with one exception: while it says busy and
//	    shared, replace may take the place of the runner. Then begin's caller is the
//	    runner no more, and end tells it.
//	B2  next and all that belongs to the runner are handed over with word: its
//	    substitute sees what the runner wrote before begin.
//	B3  slot is written before word. A reader that finds the same word before and
//	    after it has looked at the task has the task of that item, unless the runner
//	    stands still between the two stores.
type beat struct {
	_      [0]atomic.Uint64 // word is 8-aligned on 32-bit targets too
	word   uint64           // number of the item, beatShared, beatBusy
	last   uint64           // number of the last item that is ready for the runner
	next   uint64           // number of the last item that began: the runner's own
	slot   *resume.Slot     // of the task that is resumed; nil: another item
	shared atomic.Bool      // another runner may take over
}

const (
	beatBusy   = 1 // the item runs
	beatShared = 2 // and the runner may be replaced meanwhile
	beatNumber = 4 // one
)

// begin notes that an item begins, and returns what end is given. The slot is nil
// if the item is not a handle.
func (b *beat) begin(s *resume.Slot) (word uint64) {
	b.setSlot(s)
	b.next += beatNumber
	word = b.next | beatBusy
	if b.shared.Load() {
		word |= beatShared
	}
	release.Store64(&b.word, word)
	return word
}

// end notes that the item has ended. It returns false if the caller has been
// replaced: it must not touch what is the runner's.
func (b *beat) end(word uint64) (mine bool) {
	if word&beatShared == 0 {
		return true // rest or the next begin says so
	}
	return atomic.CompareAndSwapUint64(&b.word, word, word&^(beatBusy|beatShared))
}

// rest notes that the runner has no item.
func (b *beat) rest() {
	b.setSlot(nil)
	release.Store64(&b.word, b.next)
}

// ready notes that the runner has so many items to begin, one after another.
func (b *beat) ready(items int) { release.Store64(&b.last, b.next+uint64(items)*beatNumber) }

// at returns the item that runs, and its task. The word of a runner that has no
// item is not busy.
func (b *beat) at() (word uint64, s *resume.Slot) {
	return atomic.LoadUint64(&b.word), b.loadSlot()
}

// hasMore reports whether other items are ready behind the one that runs.
func (b *beat) hasMore(word uint64) bool {
	return atomic.LoadUint64(&b.last) > word&^(beatBusy|beatShared)
}

// replace makes the caller the runner, if the item still runs.
func (b *beat) replace(word uint64) bool {
	return word&beatShared != 0 && atomic.CompareAndSwapUint64(&b.word, word, word&^(beatBusy|beatShared))
}
