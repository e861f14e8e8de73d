package leaf

import (
	"sync"
	"time"

	"github.com/stackhop/stackhop/cancel"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
)

// Timeout runs body as a task of its own and returns what that returns, or a
// *TimeoutError if it has to be cancelled because d has passed. So any call that
// waits, or any number of them, can be given a limit. The task is a child of
// the current one, if there is one, and has ended when Timeout returns: a body that
// runs when its time is over ends at its next suspension. It inherits the current
// task's context, see ctx.Task.Context.
//
// What body completes counts: if it returns a value although it was asked
// to end, that is the answer. With d not positive body does not run.
//
// Errors besides: those of ctx.Spawn; how the task ended if it did not return:
// *ctx.PanicError, ctx.ErrGoexit, *ctx.CancelError if somebody else cancelled it;
// ErrThreadLocked if the current task cannot wait for it, and it is cancelled
// then.
func Timeout(d time.Duration, body func(t *ctx.Task) error) error {
	if body == nil {
		return ctx.ErrNilBody
	}
	if d <= 0 {
		return &TimeoutError{d}
	}
	l := newLimit()
	l.d, l.body = d, body
	return l.await(ctx.Current())
}

// A limit is one call of Timeout.
type limit struct {
	mu     guard
	d      time.Duration
	body   func(t *ctx.Task) error
	cur    *ctx.Task     // the current task
	h      resume.Handle // of that, when it waits
	task   *ctx.Task
	ended  bool          // task has ended
	apart  bool          // and whoever ran it has looked at it for the last time
	over   *TimeoutError // once the time is
	answer error
	given  bool // answer is what body returned

	timer *time.Timer // calls fire
	run   func(t *ctx.Task)
	done  chan struct{} // for a plain goroutine
}

var limits = sync.Pool{New: func() any { return makeLimit() }}

func makeLimit() *limit {
	l := &limit{done: make(chan struct{}, 1)}
	l.run = func(t *ctx.Task) {
		l.begin(t)
		l.answer = l.body(t)
		l.given = true
	}
	return l
}

func newLimit() *limit {
	if channelsKeep() {
		return limits.Get().(*limit)
	}
	return makeLimit()
}

func (l *limit) await(cur *ctx.Task) (err error) {
	l.cur = cur
	if cur == nil {
		_, err = ctx.Spawn(l.run, ctx.WithOnEnd(l))
	} else {
		_, err = ctx.Spawn(l.run, ctx.WithOnEnd(l), ctx.WithParent(cur), ctx.WithHome(cur.Home()))
	}
	if err != nil {
		return err
	}
	if cur == nil {
		<-l.done
		return l.outcome()
	}
	if !l.hasEnded() {
		if err := cur.Park(l); err != nil && !l.hasEnded() {
			_ = l.task.Cancel(err)
			<-l.done
			l.release(false)
			return err
		}
	}
	return l.outcome()
}

// begin is the first that the new task does.
func (l *limit) begin(t *ctx.Task) {
	l.task = t
	if l.timer == nil {
		l.timer = time.AfterFunc(l.d, l.fire)
	} else {
		l.timer.Reset(l.d)
	}
}

func (l *limit) hasEnded() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ended
}

// outcome tells how it went. The task has ended.
func (l *limit) outcome() error {
	if l.given {
		err := l.answer
		l.release(true)
		return err
	}
	err := l.task.Err()
	l.mu.Lock()
	over := l.over
	l.mu.Unlock()
	if ce, ok := err.(*cancel.Error); ok && over != nil && ce.Cause == error(over) {
		err = over
	}
	l.release(true)
	return err
}

// Abandon is called when the current task is cancelled. Its child has ended.
func (l *limit) Abandon() { l.release(false) }

// fire runs on a goroutine of its own when the time is over.
func (l *limit) fire() {
	l.mu.Lock()
	l.over = &TimeoutError{l.d}
	t, over := l.task, l.over
	l.mu.Unlock()
	_ = t.Cancel(over) // pending: it ends at its next suspension
}

// TaskEnded continues whoever waits.
func (l *limit) TaskEnded(*ctx.Task) resume.Handle {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	l.apart = l.h != (resume.Handle{}) || l.cur != nil && ctx.Current() == l.cur
	l.done <- struct{}{}
	return l.h
}

// Publish is called when the current task waits.
func (l *limit) Publish(h resume.Handle) {
	l.mu.Lock()
	ended, live := l.ended, h.Live()
	if live && !ended { // if not live, l may be another's by now
		l.h = h
	}
	l.mu.Unlock()
	if ended && live {
		_ = h.Resume() // stale: cancelled
	}
}

// release keeps l for the next call, unless the timer has called fire or is
// about to, and the task too, if nobody else can look at it any more.
func (l *limit) release(returns bool) {
	if l.timer != nil && !l.timer.Stop() || !channelsKeep() {
		return
	}
	l.mu.Lock()
	if !l.ended {
		l.mu.Unlock()
		return
	}
	select {
	case <-l.done:
	default:
	}
	if returns && l.apart {
		_ = l.task.Free()
	}
	l.body, l.cur, l.task, l.h, l.ended, l.apart, l.answer, l.given = nil, nil, nil, resume.Handle{}, false, false, nil, false
	l.mu.Unlock()
	limits.Put(l)
}
