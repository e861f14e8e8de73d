package sched

import (
	"fmt"
	"time"
)

// OnStall sets the function that the Net calls when it has stood still for the time
// after, as Loop.OnStall does for a Loop.
func (n *Net) OnStall(after time.Duration, f func(Stall)) { n.lookout.setStall(after, f) }

// HandOver lets another goroutine take the Net over when one task, or one function
// of Do, has kept it for the time after while something else waited for its turn. 0, the
// default, means never. The price is that of Loop.HandOver: a task that was held up
// continues at the same time as others, until its next suspension. If a task holds Run
// up, Close waits for that task. HandOver may be called at any time, from any goroutine.
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
