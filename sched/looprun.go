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
)

func (l *Loop) run(mode until) error {
	if !l.running.CompareAndSwap(false, true) {
		return ErrRunning
	}
	defer l.running.Store(false)
	defer l.count()
	l.retry()
	for !(l.stop.Load() && l.stop.CompareAndSwap(true, false)) {
		if l.next == len(l.turn) {
			if !l.refill(mode) {
				break
			}
			continue
		}
		it := l.turn[l.next]
		l.turn[l.next] = item{}
		l.next++
		l.runItem(it)
	}
	return l.failed.take()
}

func (l *Loop) runItem(it item) {
	l.counted.Ran++
	if it.call != nil {
		it.call.run(l)
		return
	}
	switch err := it.h.Resume(); {
	case err == nil:
	case err == resume.ErrStale:
		l.counted.Stale++
	default:
		l.refuse(it.h, err)
	}
}

// refuse keeps h, if it is h that could not be resumed: the error may be that
// of somebody whom its task has transferred to.
func (l *Loop) refuse(h resume.Handle, err error) {
	l.counted.Refused++
	if !h.Live() {
		l.failed.add(err)
		return
	}
	l.mu.Lock()
	l.refused = append(l.refused, Refusal{h, err})
	l.mu.Unlock()
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
	l.mu.Lock()
	defer l.mu.Unlock()
	l.addCounted()
	for {
		wait := time.Duration(-1)
		if len(l.timers) != 0 {
			wait = l.fire(l.now())
		}
		if len(l.queue) != 0 {
			l.queue, l.turn, l.next = l.turn[:0], l.queue, 0
			return true
		}
		switch {
		case l.stop.Load():
			return true // run looks at it
		case mode == untilIdle, mode == untilDrained && l.tasks.Load() == 0:
			return false
		}
		// Whoever queues something, stops, sets an earlier timer or ends the last
		// task, does so under mu or takes mu after it, and finds asleep set; and a
		// wake before wait is not lost. So no wake-up is.
		l.asleep = true
		l.mu.Unlock()
		l.idle.wait(wait)
		l.mu.Lock()
		l.asleep = false
	}
}

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
