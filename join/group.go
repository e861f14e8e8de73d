package join

import (
	"sync"
	"sync/atomic"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/cancel"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
)

// A group is one call of a combinator: its arms, and the parent that waits for
// them. Groups are pooled; see J1 to J4.
type group struct {
	word   atomic.Uint64
	parent *ctx.Task // nil: a plain goroutine
	rule   rule
	scope  *Scope // nil but for Within
	size   int    // of the arms' stacks, 0 for the default

	each func(t *ctx.Task, i int) error // of Each
	arms []*arm                         // those of this call; the array behind has more

	// The parent's own.
	unbegun int   // arms to come
	handled bool  // the rest was cancelled, or there is no reason to
	orphans bool  // the parent is unwinding: arms are not its children
	stuck   error // why the parent cannot suspend
	parking bool  // it is in Park, or unwinds from there
	lent    lent
	halt    chan struct{} // stops the receiver, which is running or was
	got     int           // 1 + the number of the arm that has received: it wins whatever was decided meanwhile

	mu      sync.Mutex // of Publish and of who takes it back: J3
	handles [2]resume.Handle
	wake    chan struct{}
}

// A rule says what ends the waiting before all arms have ended.
type rule uint8

const (
	firstError   rule = iota // All, Scope
	firstEnd                 // Any, Select
	firstSuccess             // Race
)

// ends reports whether an arm that ended with err decides.
func (r rule) ends(err error) bool {
	return r == firstEnd || (err != nil) == (r == firstError)
}

// The word of a group: how many arms have not ended, and
const (
	parked0  = 1 << 31 // the parent is suspended under handles[0], until a decision or the last end
	parked1  = 1 << 32 // the same under handles[1], until the last end
	blocked  = 1 << 33 // the parent blocks its goroutine, until either
	decided  = 1 << 34 // the winner's number is in the bits above
	leftMask = parked0 - 1
	winnerAt = 35
	noWinner = 1<<(64-winnerAt) - 1 // the parent gave up
	waiting  = parked0 | parked1 | blocked
)

var groups = sync.Pool{New: func() any { return new(group) }}

// open begins a call with n arms.
func open(r rule, size, n int) *group {
	g := groups.Get().(*group)
	g.rule, g.size, g.parent = r, size, ctx.Current()
	g.unbegun = n
	g.word.Store(uint64(n)) // nobody else knows g
	if size != 0 {
		g.lent.open(g.parent)
	}
	return g
}

// winner answers the number of the arm that decided, or -1.
func (g *group) winner() int {
	if w := g.word.Load(); w&decided != 0 && w>>winnerAt != noWinner {
		return int(w >> winnerAt)
	}
	return -1
}

// giveUp is for a parent that cannot wait.
func (g *group) giveUp(why error) {
	g.stuck = why
	if s := g.scope; s != nil {
		s.mu.Lock()
		s.giveUp(why)
		s.mu.Unlock()
	}
	g.decide()
	g.cancelRest(lost)
}

// decide is the parent's decision, for want of another.
func (g *group) decide() {
	for {
		w := g.word.Load()
		if w&decided != 0 || g.word.CompareAndSwap(w, w|decided|noWinner<<winnerAt) {
			return
		}
	}
}

// end counts one arm down. It answers the parent's handle if that is to be
// continued now, and does not touch g after its last atomic operation then (J2).
func (g *group) end(index int, decides bool) (h resume.Handle) {
	for {
		old := g.word.Load()
		now := old - 1
		first := decides && old&decided == 0
		if first {
			now |= decided | uint64(index)<<winnerAt
		}
		wake := uint64(0)
		if old&waiting != 0 && (first || now&leftMask == 0) {
			wake, h = g.wakes(old)
			now &^= wake
		}
		if !g.word.CompareAndSwap(old, now) {
			continue
		}
		if wake == blocked {
			g.wake <- struct{}{}
		}
		return h
	}
}

// wakes answers how the parent waits, and its handle. A parent that was asked
// to end is not continued: it unwinds from where it waits, when its
// last child has ended.
func (g *group) wakes(word uint64) (bit uint64, h resume.Handle) {
	switch {
	case word&blocked != 0:
		return blocked, h
	case g.parent.CancelPending():
		return 0, h
	case word&parked0 != 0:
		return parked0, g.handles[0]
	}
	return parked1, g.handles[1]
}

// due reports whether the parent has something to do.
func (g *group) due(word uint64) bool {
	return word&leftMask == 0 || word&decided != 0 && !g.handled
}

// wait returns when all arms have ended. As soon as there is a decision, it
// cancels the rest. It is a suspension as far as a cancel of the parent is concerned.
func (g *group) wait() {
	for {
		w := g.word.Load()
		switch {
		case w&leftMask == 0:
			if g.parent != nil && g.stuck == nil && g.parent.CancelPending() {
				_ = g.park() // does not return, but on a parent that unwinds or cannot
			}
			return
		case w&decided != 0 && !g.handled:
			g.cancelRest(g.cause())
		case g.parent == nil || g.stuck != nil:
			g.block()
		default:
			if err := g.park(); err != nil {
				g.giveUp(err)
			}
		}
	}
}

// park suspends the parent. It does not return if the parent is cancelled.
func (g *group) park() error {
	g.parking = true
	err := g.parent.Park(g)
	g.parking = false
	return err
}

// cause is what the rest is cancelled for.
func (g *group) cause() error {
	if g.rule == firstError && g.scope == nil {
		return g.arms[g.winner()].err
	}
	return lost
}

// cancelRest cancels the arms that have not ended, the one started last first.
func (g *group) cancelRest(cause error) {
	g.handled = true
	if g.scope != nil {
		g.scope.cancelRest()
		return
	}
	if g.halt != nil {
		select {
		case g.halt <- struct{}{}:
		default: // said before
		}
	}
	err, ok := cause.(*cancel.Error)
	for i := len(g.arms) - 1; i >= 0; i-- {
		a := g.arms[i]
		if a.task == nil {
			a.stop()
			continue
		}
		if !ok {
			err, ok = &cancel.Error{Cause: cause}, true // one for all
		}
		// Whoever has started an arm can enter it: it ends now, or as soon as
		// whoever runs it lets it suspend.
		_ = a.task.Cancel(err)
	}
}

// Publish is called when the parent is parked, and maybe cancelled already: then
// g may serve another call (J3).
func (g *group) Publish(h resume.Handle) {
	g.mu.Lock()
	if !h.Live() {
		g.mu.Unlock()
		return
	}
	slot, bit := 0, uint64(parked0)
	if g.handled {
		slot, bit = 1, parked1
	}
	g.handles[slot] = h
	for {
		w := g.word.Load()
		if g.due(w) {
			break
		}
		if g.word.CompareAndSwap(w, w|bit) {
			g.mu.Unlock()
			return
		}
	}
	g.mu.Unlock()
	_ = h.Resume() // whoever has just left it can enter it, unless it is cancelled
}

// block is Park for a parent that is a plain goroutine, or cannot suspend.
func (g *group) block() {
	if g.wake == nil || bubbles() {
		g.wake = make(chan struct{}, 1)
	}
	for {
		w := g.word.Load()
		if g.due(w) {
			return
		}
		if g.word.CompareAndSwap(w, w|blocked) {
			<-g.wake
			return
		}
	}
}

// close ends the call, also if the parent is unwinding from its wait. The
// parent's cancel has ended its children first; what may be left is about to
// tell so, or was started without a parent.
func (g *group) close() {
	if g.parking {
		g.unpark()
	}
	for _, a := range g.arms {
		a.free()
	}
	g.lent.close()
	g.arms = g.arms[:0]
	g.parent, g.handled, g.orphans, g.stuck = nil, false, false, nil
	g.halt, g.got, g.each = nil, 0, nil
	if g.wake != nil && bubbles() {
		g.wake = nil // it belongs to a bubble, or may
	}
	groups.Put(g)
}

// bubbles reports whether what is made here may belong to a synctest bubble, and
// must not serve elsewhere.
func bubbles() bool { return portable() || stackhop.InBubble() }

var portable = sync.OnceValue(func() bool { return stackhop.Backend().Name == "portable" })

// unpark is for a parent that unwinds from Park.
func (g *group) unpark() {
	g.mu.Lock() // whoever gets it later finds a stale handle
	g.word.And(^uint64(waiting))
	g.mu.Unlock()
	g.parking = false
	g.skip()
	g.giveUp(cancel.ErrUnwinding)
	g.wait()
}
