package leaf

import "time"

// A Timer is something that happens once, at a time. After makes it. Many may
// wait for it; Reset makes it serve again.
type Timer struct {
	mu     guard
	active bool      // neither fired nor stopped
	at     time.Time // not before that
	event  Event
	timer  *time.Timer // calls fire
}

// After makes a timer that fires once d has passed. It need not be stopped. It
// resumes those who wait one after the other, first come first served, on the
// goroutine that package time starts for that; tasks with a home go there.
func After(d time.Duration) *Timer {
	t := &Timer{active: true, at: time.Now().Add(d)}
	t.mu.Lock()
	t.timer = time.AfterFunc(d, t.fire)
	t.mu.Unlock()
	return t
}

// Wait waits until the timer has fired. After Stop it waits for a Reset, and for
// what follows. Errors: ErrUnwinding, ErrThreadLocked.
func (t *Timer) Wait() error { return t.event.Wait() }

// Fired reports whether the timer has fired.
func (t *Timer) Fired() bool { return t.event.IsSet() }

// Stop keeps the timer from firing, and reports whether it did: false means that
// it has fired or was stopped already.
func (t *Timer) Stop() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	was := t.active
	t.active = false
	t.timer.Stop()
	return was
}

// Reset has the timer fire once d has passed from now, and not before. It reports
// whether it was still to fire. Those who wait go on waiting.
func (t *Timer) Reset(d time.Duration) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	was := t.active
	t.active, t.at = true, time.Now().Add(d)
	t.event.Reset()
	t.timer.Reset(d)
	return was
}

// fire may be late: after a Stop, or after a Reset that it was not meant by.
func (t *Timer) fire() {
	t.mu.Lock()
	if !t.active || time.Now().Before(t.at) {
		t.mu.Unlock()
		return
	}
	t.active = false
	t.event.q.mu.Lock()
	t.event.set.Store(true)
	t.mu.Unlock()
	t.event.all()
}
