package sched

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stackhop/stackhop"
)

// A lookout looks, by a timer, whether a scheduler stands still, and reports it or
// has another goroutine take over. Only a running scheduler has one: the first tick
// after the scheduler has stopped is the last.
//
//	W1  on says that the scheduler runs, armed that the timer is set. A goroutine that
//	    raises on calls start, which reads armed; tick lowers armed and then reads on. So one of
//	    them sees the other, and a scheduler that runs is watched.
//	W2  In a testing/synctest bubble there is no lookout: its timer would be one of
//	    the bubble, and the bubble's time never ends while a timer is set. The runtime itself
//	    tells of a bubble that stands still.
type lookout struct {
	of      watchable
	on      *atomic.Bool
	armed   atomic.Bool
	mu      sync.Mutex
	timer   *time.Timer // its function is tick
	runners []runner

	stallAfter time.Duration // 0: not reported
	onStall    func(Stall)   // nil: logStall
	reported   []uint64      // the items of the stall that was reported last, by runner
	logged     time.Time     // when the last one was

	handAfter time.Duration // 0: never
}

// watchable is a Loop, a Net or a Pool.
type watchable interface {
	Scheduler
	runners() []runner
	someWait() bool             // something waits for its turn
	replace(i int, word uint64) // has another goroutine go on for runner i, if its item is still that one
	setShared(on bool)          // the runners may be replaced, or may not
}

func (w *lookout) init(of watchable, on *atomic.Bool) { w.of, w.on, w.stallAfter = of, on, StallAfter }

// start has a scheduler watched that has just raised on.
func (w *lookout) start() {
	if !w.armed.Load() {
		w.arm()
	}
}

// arm sets the timer.
func (w *lookout) arm() {
	if inBubble() || !w.armed.CompareAndSwap(false, true) {
		return
	}
	w.mu.Lock()
	w.set()
	w.mu.Unlock()
}

// inBubble also tells the bubbles that the portable backend cannot: there the
// time begins in the year 2000.
func inBubble() bool { return stackhop.InBubble() || time.Now().Year() < 2015 }

// set sets the timer for the next tick. If there is nothing to look for, no timer is
// set, although armed is true: configure sets it later.
func (w *lookout) set() {
	period := w.period()
	switch {
	case period == 0:
	case w.timer == nil:
		w.timer = time.AfterFunc(period, w.tick)
	default:
		w.timer.Reset(period)
	}
}

// period is how often tick looks: often enough for what is to be noticed first.
func (w *lookout) period() time.Duration {
	after := w.stallAfter
	if after == 0 || w.handAfter != 0 && w.handAfter < after {
		after = w.handAfter
	}
	if after == 0 {
		return 0
	}
	return max(after/4, 100*time.Microsecond)
}

// configure changes what is to be looked for.
func (w *lookout) configure(f func()) {
	w.mu.Lock()
	f()
	w.of.setShared(w.handAfter != 0)
	w.mu.Unlock()
	if !w.on.Load() {
		w.armed.Store(false) // the next start sets the timer
		if !w.on.Load() {
			return
		}
	}
	if !inBubble() {
		w.armed.Store(true)
		w.mu.Lock()
		w.set()
		w.mu.Unlock()
	}
}

func (w *lookout) setStall(after time.Duration, f func(Stall)) {
	w.configure(func() {
		switch {
		case f == nil:
			after = 0
		case after <= 0:
			after = StallAfter
		}
		w.stallAfter, w.onStall = after, f
	})
}

func (w *lookout) setHand(after time.Duration) {
	w.configure(func() { w.handAfter = max(after, 0) })
}

func (w *lookout) tick() {
	if !w.on.Load() {
		w.armed.Store(false)
		if !w.on.Load() || !w.armed.CompareAndSwap(false, true) {
			return // W1
		}
	}
	w.mu.Lock()
	report := w.look(time.Now())
	w.mu.Unlock()
	if report != nil {
		report()
	}
	w.mu.Lock()
	w.set()
	w.mu.Unlock()
}

// look notes where the runners are, replaces those that may be, and returns what
// reports a stall, if there is one.
func (w *lookout) look(now time.Time) (report func()) {
	if w.runners == nil {
		w.runners = w.of.runners()
		w.reported = make([]uint64, len(w.runners))
	}
	still := time.Duration(-1) // of the runner that was seen to go on last
	for i := range w.runners {
		r := &w.runners[i]
		if word, _ := r.beat.at(); word != r.word {
			r.word, r.since = word, now
		}
		if r.word&beatBusy == 0 {
			still = 0
		} else if d := now.Sub(r.since); still < 0 || d < still {
			still = d
		}
	}
	hand := w.handAfter != 0 && still >= w.handAfter
	tell := w.stallAfter != 0 && still >= w.stallAfter
	if !hand && !tell || !w.of.someWait() {
		return nil
	}
	if tell {
		report = w.report(still)
	}
	if hand {
		for i := range w.runners {
			w.of.replace(i, w.runners[i].word)
		}
	}
	return report
}

// maxLogged is how many goroutines there may be for a stall to be logged with
// stacks: more would keep the world stopped for long.
const maxLogged = 20_000

// report makes what reports a stall, if that is a new one, and lasts.
func (w *lookout) report(still time.Duration) func() {
	fresh := false
	for i := range w.runners {
		fresh = fresh || w.reported[i] != w.runners[i].word
		w.reported[i] = w.runners[i].word
	}
	if !fresh || !w.lasts() {
		return nil
	}
	s, tell := Stall{Scheduler: w.of, For: still}, w.onStall
	if tell == nil {
		if time.Since(w.logged) < time.Minute && !w.logged.IsZero() {
			return nil
		}
		tell = func(s Stall) {
			w.logged = time.Now() // one tick at a time
			logStall(s)
		}
	}
	if w.onStall != nil || runtime.NumGoroutine() <= maxLogged {
		if s.Tasks, s.Stack = findStall(w.runners); !w.lasts() {
			return nil
		}
	}
	return func() { tell(s) }
}

// lasts reports whether every runner is still at its item.
func (w *lookout) lasts() bool {
	for i := range w.runners {
		if word, _ := w.runners[i].beat.at(); word != w.runners[i].word {
			return false
		}
	}
	return true
}
