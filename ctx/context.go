package ctx

import (
	"context"

	"github.com/stackhop/stackhop/cancel"
	"github.com/stackhop/stackhop/resume"
)

// more is what a task has that deals with contexts. Its fields are guarded by
// the lock of the task's node until the task has ended.
type more struct {
	from   context.Context // of WithContext, or nil
	stop   func() bool     // ends the watch over it
	own    context.Context // is done when the task is
	cancel context.CancelCauseFunc
	set    context.Context // of SetContext, derived from own; nil: own
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

// Context returns the task's context. It is done when the task is asked to end,
// with the cause of that, or has ended. It has the values and the deadline of the
// context of WithContext; without that option, those of the parent's context; and
// without a parent, none. If the body calls SetContext, Context returns that
// context from then on.
//
// A context is made when it is first asked for: a task that never asks pays
// nothing for its own or for its parent's. The parent is looked up at that
// moment: a task that first asks after its end inherits nothing.
func (t *Task) Context() context.Context {
	x := t.extras()
	for {
		var given, base context.Context
		var m *more
		x.node.Do(func() {
			if m = x.more.Load(); m == nil {
				m = new(more)
				x.more.Store(m)
			}
			given, base = m.context(), t.inherited()
		})
		if given != nil {
			return given
		}
		own, done := context.WithCancelCause(context.WithValue(base, ownerKey{}, m))
		x.node.Do(func() {
			if m.own != nil {
				return // another goroutine was faster
			}
			m.own, m.cancel = own, done
			resume.Barrier() // the task's end looks for more after the word says done
			if t.slot.Done() {
				done(nil)
			} else if t.slot.WasAsked() {
				done(x.node.ErrLocked())
			}
			given = own
		})
		if given != nil {
			return given
		}
		done(nil)
	}
}

// SetContext makes c the task's context: Context returns it, and children that
// have no context of their own inherit its values and deadline. So a span that the
// body starts is the parent of the spans of its children:
//
//	c, span := tracer.Start(t.Context(), "fetch all")
//	defer span.End()
//	t.SetContext(c)
//	err := join.All(fetchA, fetchB)
//
// To undo it, give SetContext what Context returned before. A context that asked
// for its parent's before the call keeps that one.
//
// c must derive from what Context returns to this task. Otherwise the task's end
// would not end it: SetContext panics. Only the body may call it.
func (t *Task) SetContext(c context.Context) {
	if c == nil {
		panic("ctx: SetContext with a nil context: give it one that derives from Context of this task")
	}
	_ = t.Context()
	x := t.extras()
	m := x.more.Load()
	if of, _ := c.Value(ownerKey{}).(*more); of != m {
		panic("ctx: SetContext with a context that does not derive from Context of this task: derive it from that, or use WithContext")
	}
	x.node.Do(func() {
		if m.set = c; c == m.own {
			m.set = nil
		}
	})
}

// ownerKey finds the task t for a context that derives from t.own.
type ownerKey struct{}

// context returns what Context returns, or nil if no context was made yet.
func (m *more) context() context.Context {
	if m.set != nil {
		return m.set
	}
	return m.own
}

// inherited returns the context that the task's own derives from: of the nearest
// one of the task and its ancestors that was given a context. A cancel of an
// ancestor reaches the task by the tree, so what an ancestor has made for itself is
// no part of the chain, and however deep the tree, to end one context is not to end
// a chain of them. The tree's lock is held.
func (t *Task) inherited() context.Context {
	for a := t; a != nil; a = a.Parent() {
		x := a.ext.Load()
		if x == nil {
			continue
		}
		switch m := x.more.Load(); {
		case m == nil:
		case m.set != nil:
			return m.set
		case m.from != nil:
			return m.from
		}
	}
	return context.Background()
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
