package sched

import (
	"fmt"
	"time"
)

// OnStall has f called when the Net has stood still for the time after, as
// Loop.OnStall does.
func (n *Net) OnStall(after time.Duration, f func(Stall)) { n.lookout.setStall(after, f) }

// HandOver has another goroutine take the Net over when one task, or one function
// of Do, has kept it for the time after while something else waited for its turn,
// at the same price as Loop.HandOver: the task that was held up goes on at the same time
// as others, until it next waits in a call that suspends it. Close waits for it, if Run does.
func (n *Net) HandOver(after time.Duration) { n.lookout.setHand(after) }

func (n *Net) runners() []runner {
	return []runner{{beat: &n.loop.beat, frame: fmt.Sprintf("sched.(*Net).resumeBatch(%p", n)}}
}

func (n *Net) someWait() bool {
	word, _ := n.loop.beat.at()
	if n.loop.beat.hasMore(word) {
		return true
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.wakes) != 0 || len(n.timers) != 0 && n.timers[0].when <= n.clock.now() || !n.ended && n.poller.pending()
}

func (n *Net) replace(_ int, word uint64) {
	if n.loop.beat.replace(word) {
		n.goOn()
	}
}

func (n *Net) setShared(on bool) { n.loop.beat.shared.Store(on) }
