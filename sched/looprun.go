package sched

import (
	"time"

	"github.com/stackhop/stackhop/resume"
)

// Run runs what is queued, and sleeps when nothing is, until Stop.
//
// It returns ErrRunning if the Loop is being run already, else the failures of
// tasks as one error: see OnFailure. A panic out of what is queued, other than
// of a task, is Run's; the Loop can be run again after it.
func (l *Loop) Run() error { return l.run(untilStop) }

// Drain is Run until every task that Go started has ended, or Stop.
func (l *Loop) Drain() error { return l.run(untilDrained) }

// RunUntilIdle is Run until nothing is queued and no timer is due, or Stop. It
// does not sleep.
func (l *Loop) RunUntilIdle() error { return l.run(untilIdle) }

type until int

const (
	untilStop until = iota
	untilDrained
	untilIdle
	untilRecalled // a substitute's
)

func (l *Loop) run(mode until) error {
	if !l.running.CompareAndSwap(false, true) {
		return ErrRunning
	}
	var word uint64 // of the item that runs
	l.lookout.start()
	defer func() { l.ended(word) }()
	l.retry()
	for !(l.stop.Load() && l.stop.CompareAndSwap(true, false)) {
		if l.next == len(l.turn) {
			if !l.refill(mode) {
				break
			}
			continue
		}
		if !l.runItem(&word) {
			l.relay.comeBack(l.lookUp)
		}
	}
	return l.failed.take()
}

// ended is the last of a run, however it ends. If an item did not return, because
// of a panic or Goexit, word is its word, and the caller may not be the runner.
func (l *Loop) ended(word uint64) {
	if word != 0 && !l.beat.end(word) {
		l.relay.comeBack(l.lookUp)
	}
	l.beat.rest()
	l.count()
	l.running.Store(false)
}

// runItem runs the next item. It returns false if the caller is not the runner
// any more: another goroutine has taken the Loop over meanwhile. current is not 0 as
// long as the item runs.
//
// It is not inlined: a trace of the runner has it, with the Loop.
//
//go:noinline
func (l *Loop) runItem(current *uint64) (mine bool) {
	it := l.turn[l.next]
	l.turn[l.next] = item{}
	l.next++
	l.counted.Ran++
	word := l.beat.begin(it.h.Slot())
	*current = word
	var err error
	if it.call != nil {
		it.call.run(l)
	} else {
		err = it.h.Resume()
	}
	*current = 0
	mine = l.beat.end(word)
	if err != nil {
		l.notResumed(it.h, err)
	}
	return mine
}

// notResumed notes why h was not resumed. It keeps h only if h itself could not be
// resumed: the error may be of another task, to which the task of h has transferred.
func (l *Loop) notResumed(h resume.Handle, err error) {
	refused := err != resume.ErrStale
	keep := refused && h.Live()
	l.mu.Lock()
	switch {
	case !refused:
		l.stats.Stale++
	case keep:
		l.refused = append(l.refused, Refusal{h, err})
		fallthrough
	default:
		l.stats.Refused++
	}
	l.mu.Unlock()
	if refused && !keep {
		l.failed.add(err)
	}
}

// lookUp has a substitute that sleeps look at recall.
func (l *Loop) lookUp() {
	l.mu.Lock()
	l.rouse()
}

// retry queues what an earlier run could not resume.
func (l *Loop) retry() {
	l.mu.Lock()
	for _, r := range l.refused {
		l.queue = append(l.queue, item{h: r.Handle})
	}
	l.refused = nil
	l.mu.Unlock()
}

// refill gives what is queued or due its turn, and sleeps as long as nothing
// is. False means that the run is over.
func (l *Loop) refill(mode until) bool {
	l.beat.rest()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.addCounted()
	for {
		stop := l.stop.Load()
		wait := time.Duration(-1)
		if mode != untilRecalled || !stop { // a substitute leaves all to Run's goroutine then
			if len(l.timers) != 0 {
				wait = l.fire(l.now())
			}
			if len(l.queue) != 0 && l.next == len(l.turn) {
				l.queue, l.turn, l.next = l.turn[:0], l.queue, 0
				l.beat.ready(len(l.turn))
				return true
			}
		}
		switch {
		case mode == untilRecalled:
			if l.relay.recall.Load() {
				return true
			}
		case stop:
			return true // run looks at it
		case mode == untilIdle, mode == untilDrained && l.tasks.Load() == 0:
			return false
		}
		// A goroutine that queues something, stops, sets an earlier timer, ends the last
		// task or recalls, does so under mu or takes mu after it, and finds asleep set.
		// A wake before wait is not lost either. So no wake-up is lost.
		l.asleep = true
		l.mu.Unlock()
		l.idle.wait(wait)
		l.mu.Lock()
		l.asleep = false
	}
}

// substitute runs the Loop in place of Run's goroutine, until that comes back or
// another one takes its place.
func (l *Loop) substitute() {
	var word uint64
	done := false
	defer func() {
		if !done && (word == 0 || l.beat.end(word)) {
			l.goOn()
		}
	}()
	for !l.relay.giveBack() {
		if l.stop.Load() || l.next == len(l.turn) {
			l.refill(untilRecalled)
			continue
		}
		if !l.runItem(&word) {
			break
		}
	}
	done = true
}

func (l *Loop) goOn() { l.relay.takeOver(l.substitute) }

// count brings Stats up to date when a run ends, however it does.
func (l *Loop) count() {
	l.mu.Lock()
	l.addCounted()
	l.mu.Unlock()
}

func (l *Loop) addCounted() {
	l.stats.Ran += l.counted.Ran
	l.stats.Stale += l.counted.Stale
	l.stats.Refused += l.counted.Refused
	l.stats.Queued = len(l.turn) - l.next
	l.counted = Stats{}
}

// An idle is what the runner sleeps in.
type idle struct {
	woken chan struct{} // has room for one
	timer *time.Timer
}

func newIdle() idle {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return idle{make(chan struct{}, 1), t}
}

// wait returns after d, or when it is woken; if d is negative, only then.
func (i *idle) wait(d time.Duration) {
	if d < 0 {
		<-i.woken
		return
	}
	i.timer.Reset(d)
	select {
	case <-i.woken:
		i.timer.Stop()
	case <-i.timer.C:
	}
}

// wake ends the wait that is under way, or else the next one.
func (i *idle) wake() {
	select {
	case i.woken <- struct{}{}:
	default:
	}
}
