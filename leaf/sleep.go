package leaf

import (
	"sync"
	"time"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
)

// Sleep suspends the task for at least d; a plain goroutine sleeps as in
// time.Sleep. When the time has come, a timer of package time resumes the task, on
// the goroutine that the runtime starts for that. A task with a home (see
// ctx.WithHome) goes there and continues on it.
//
// Errors: ErrUnwinding, ErrThreadLocked; it returns at once then.
func Sleep(d time.Duration) error {
	t := ctx.Current()
	if t == nil {
		time.Sleep(d)
		return nil
	}
	if d <= 0 {
		return nil
	}
	s := newSleeper()
	s.d = d
	return s.park(t)
}

// A sleeper is one sleeping task.
type sleeper struct {
	mu      guard
	d       time.Duration
	h       resume.Handle
	timer   *time.Timer // calls fire
	started bool
}

var sleepers = sync.Pool{New: func() any { return new(sleeper) }}

func newSleeper() *sleeper {
	if channelsKeep() {
		return sleepers.Get().(*sleeper)
	}
	return new(sleeper)
}

func (s *sleeper) park(t *ctx.Task) error {
	err := t.Park(s)
	s.done(err == nil)
	return err
}

// Abandon is called when the task is cancelled.
func (s *sleeper) Abandon() { s.done(false) }

// Publish starts the timer.
func (s *sleeper) Publish(h resume.Handle) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !h.Live() { // s may be another's by now
		return
	}
	s.h, s.started = h, true
	if s.timer == nil {
		s.timer = time.AfterFunc(s.d, s.fire)
	} else {
		s.timer.Reset(s.d)
	}
}

// fire runs on a goroutine of its own. Once it has read h, it does not look at s
// again.
func (s *sleeper) fire() {
	s.mu.Lock()
	h := s.h
	s.mu.Unlock()
	_ = h.Resume() // stale: the task was cancelled
}

// done keeps s for the next task, unless its timer is about to call fire.
func (s *sleeper) done(slept bool) {
	s.mu.Lock()
	quiet := slept || !s.started || s.timer.Stop()
	if quiet {
		s.h, s.started = resume.Handle{}, false
	}
	s.mu.Unlock()
	if quiet && channelsKeep() {
		sleepers.Put(s)
	}
}
