package sched

import (
	"fmt"
	"time"
)

// OnStall has f called when the Loop has stood still for the time after: see
// Stall. f is called on a goroutine of its own, once for each stall, while that lasts,
// and has to return. If after is not positive, it is StallAfter. A nil f has nothing
// reported.
//
// Without OnStall, a stall of StallAfter is printed by package log, with the stack
// of what blocks, at most one a minute. A Loop in a testing/synctest bubble is not
// watched: the runtime reports a bubble that stands still.
func (l *Loop) OnStall(after time.Duration, f func(Stall)) { l.lookout.setStall(after, f) }

// HandOver has another goroutine take the Loop over when one task, or one function
// of Do, has kept it for the time after while something else waited for its turn. 0, the
// default, means never. So code that blocks the Loop's goroutine, and waits for
// what other tasks of the Loop are to do, does not wait for ever.
//
// The price: tasks of the Loop may run at the same time. The one that was held up
// goes on, when it is unblocked, beside the others, up to its next suspension; from
// there on it has its turns as before. So what a task touches between the suspension before
// a call that may block and the suspension after it, and shares with others, needs a
// lock: sync.Mutex, or leaf.Mutex where the holder suspends. All other turns are still
// one after another, but not all on Run's goroutine.
//
// What computes for so long is held up as well as what blocks, and so is a turn
// during which the system does not run the thread. So choose a time that turns without
// such a call do not take, or use locks for all that is shared. A timer looks four times
// in that time as long as the Loop runs. In a testing/synctest bubble there is no hand-over.
//
// Run's goroutine takes the Loop back as soon as what held it up is over, between two
// items. A run ends on that goroutine only: Stop and Drain wait for what holds it
// up. A panic of a function of Do on a substitute ends the process.
func (l *Loop) HandOver(after time.Duration) { l.lookout.setHand(after) }

func (l *Loop) runners() []runner {
	return []runner{{beat: &l.beat, owner: l, frame: fmt.Sprintf("sched.(*Loop).runItem(%p", l)}}
}

func (l *Loop) someWait() bool {
	word, _ := l.beat.at()
	if l.beat.hasMore(word) {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.queue) != 0 || len(l.timers) != 0 && l.timers[0].when <= l.now()
}

func (l *Loop) replace(_ int, word uint64) {
	if l.beat.replace(word) {
		l.goOn()
	}
}

func (l *Loop) setShared(on bool) { l.beat.shared.Store(on) }
