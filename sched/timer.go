package sched

import (
	"math"
	"time"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
)

// A Timer is a call that a Loop makes at a certain time.
type Timer struct {
	loop *Loop
	call plain

	// Guarded by loop.mu.
	when int64  // on the Loop's clock
	seq  uint64 // of equal times the one set first comes first
	at   int    // in the heap, from 1; 0: not in it
	h    resume.Handle
	next *Timer
}

// AfterFunc has the Loop call f when d has passed, as Do does. Error: ErrNilFunc.
func (l *Loop) AfterFunc(d time.Duration, f func()) (*Timer, error) {
	if f == nil {
		return nil, ErrNilFunc
	}
	t := &Timer{loop: l, call: f}
	t.Reset(d)
	return t, nil
}

// Stop keeps the timer from making its call. It reports false if that is queued
// or made already.
func (t *Timer) Stop() bool {
	l := t.loop
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.disarm(t)
}

// Reset has the call made when d has passed from now, and not earlier. It reports
// whether the timer was still set. It allocates nothing.
func (t *Timer) Reset(d time.Duration) bool {
	l := t.loop
	when := l.after(d)
	l.mu.Lock()
	was := l.disarm(t)
	l.arm(t, when)
	return was
}

// Sleep suspends the current task t for the time d. If that is not positive, it
// returns at once. It allocates nothing.
//
// Errors: resume.ErrNotOnTask, those of Task.Park.
func (l *Loop) Sleep(t *ctx.Task, d time.Duration) error {
	switch {
	case t == nil:
		return resume.ErrNotOnTask
	case d <= 0:
		return nil
	}
	s := l.newSleep(l.after(d))
	defer l.freeSleep(s) // also if the task is cancelled
	return parkAt(l, t, s)
}

// newSleep makes the timer of a sleeping task: the one kind without a call.
func (l *Loop) newSleep(when int64) *Timer {
	l.mu.Lock()
	s := l.spare
	if s == nil {
		s = &Timer{loop: l}
	} else {
		l.spare = s.next
	}
	l.mu.Unlock()
	s.when = when
	return s
}

func (l *Loop) freeSleep(s *Timer) {
	l.mu.Lock()
	l.disarm(s)
	s.h = resume.Handle{}
	s.next, l.spare = l.spare, s
	l.mu.Unlock()
}

// Publish is for package ctx: it sets the timer of a task that sleeps. If the
// task was cancelled meanwhile, the timer may be another's already.
func (t *Timer) Publish(h resume.Handle) {
	l := t.loop
	l.mu.Lock()
	if !h.Live() {
		l.mu.Unlock()
		return
	}
	t.h = h
	l.arm(t, t.when)
}

// now counts nanoseconds since the Loop was made, by the monotonic clock.
func (l *Loop) now() int64 { return int64(time.Since(l.start)) }

// after is when d has passed from now.
func (l *Loop) after(d time.Duration) int64 {
	now := l.now()
	if d > 0 && int64(d) > math.MaxInt64-now {
		return math.MaxInt64
	}
	return now + int64(d)
}

// arm sets a timer that is not set. The caller holds mu, and does not after it.
func (l *Loop) arm(t *Timer, when int64) {
	l.seq++
	t.when, t.seq = when, l.seq
	l.timers.push(t)
	if t.at == 1 {
		l.rouse() // it sleeps until a later time
		return
	}
	l.mu.Unlock()
}

func (l *Loop) disarm(t *Timer) bool {
	if t.at == 0 {
		return false
	}
	l.timers.remove(t.at - 1)
	return true
}

// fire queues what is due, and returns how long it is until the next timer, or
// -1 if there is none.
func (l *Loop) fire(now int64) time.Duration {
	for len(l.timers) != 0 {
		t := l.timers[0]
		if t.when > now {
			return time.Duration(t.when - now)
		}
		l.timers.remove(0)
		it := item{h: t.h}
		if t.call != nil {
			it = item{call: t.call}
		}
		l.queue = append(l.queue, it)
	}
	return -1
}
