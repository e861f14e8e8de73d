package sched

import (
	"fmt"
	"time"
)

// OnStall sets the function that the Loop calls when it has stood still for the time
// after: see Stall. f runs on a goroutine of its own, once for each stall, while the
// stall lasts, and must return. If after is not positive, it is StallAfter. A nil f turns
// the report off. OnStall may be called at any time, from any goroutine.
//
// Without OnStall, package log prints a stall of StallAfter, with the stack of the call
// that blocks, at most once a minute. A Loop in a testing/synctest bubble is not
// watched: the runtime reports a bubble that stands still.
func (l *Loop) OnStall(after time.Duration, f func(Stall)) { l.lookout.setStall(after, f) }

// HandOver lets another goroutine take the Loop over when one task, or one function
// of Do, has kept it for the time after while something else waited for its turn. 0, the
// default, means never. With HandOver, a call that blocks the Loop's goroutine until
// another task of the Loop does something does not wait for ever. HandOver may be called
// at any time, from any goroutine.
//
// The price: tasks of the Loop may run at the same time. A task that was held up
// continues, when it is unblocked, beside the others until its next suspension; from
// there on it has its turns as before. So data that a task shares with others, and
// touches between the suspension before a blocking call and the suspension after it,
// needs a lock: sync.Mutex, or leaf.Mutex where the holder suspends. All other turns are
// still one after another, but not all on Run's goroutine.
//
// A turn that computes for longer than after is handed over as well, and so is a turn
// during which the system does not run the thread. So choose a time longer than any turn
// without a blocking call, or use locks for all shared data. A timer looks four times in
// that time as long as the Loop runs. In a testing/synctest bubble there is no hand-over.
//
// When the call that held it up is over, Run's goroutine takes the Loop back between two
// items. A run ends on that goroutine only: Stop and Drain wait for the call that holds
// it up. A panic of a function of Do on a substitute ends the process.
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
