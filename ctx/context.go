package ctx

import (
	"context"

	"github.com/stackhop/stackhop/cancel"
	"github.com/stackhop/stackhop/resume"
)

// more is what a task has that deals with contexts. Its fields are guarded by
// the lock of the task's node until the task has ended.
type more struct {
	from   context.Context // of WithContext
	stop   func() bool     // ends the watch over it
	own    context.Context // of Task.Context
	cancel context.CancelCauseFunc
}

// follow has t cancelled when c is done.
func (x *extras) follow(t *Task, c context.Context) error {
	if c.Err() != nil {
		return &cancel.Error{Cause: context.Cause(c)}
	}
	m := &more{from: c}
	x.more.Store(m)
	m.stop = context.AfterFunc(c, func() { _ = t.Cancel(context.Cause(c)) })
	return nil
}

// Context returns a context that is done when the task is asked to end, with
// the cause of that, or has ended. It derives from the one of WithContext.
func (t *Task) Context() context.Context {
	var own context.Context
	x := t.extras()
	x.node.Do(func() {
		m := x.more.Load()
		if m == nil {
			m = &more{from: context.Background()}
		}
		if m.own == nil {
			m.own, m.cancel = context.WithCancelCause(m.from)
			x.more.Store(m)
			resume.Barrier() // its end looks for more after the word says done
			if t.slot.Done() {
				m.cancel(nil)
			} else if t.slot.WasAsked() {
				m.cancel(x.node.ErrLocked())
			}
		}
		own = m.own
	})
	return own
}

// asked is called when the task is asked to end, under the lock.
func (m *more) asked(err *cancel.Error) {
	if m.cancel != nil {
		m.cancel(err)
	}
}

// unfollow is called before the task ends. It reports whether the context of
// WithContext cannot cancel the task any more.
func (m *more) unfollow() bool { return m.stop == nil || m.stop() }

// endContext is called when the task has ended.
func (t *Task) endContext(m *more) {
	t.ext.Load().node.Do(func() {
		if m.cancel != nil && t.slot.Done() {
			m.cancel(t.err)
		}
	})
}
