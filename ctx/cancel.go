package ctx

import (
	"github.com/stackhop/stackhop/cancel"
	"github.com/stackhop/stackhop/resume"
)

// Cancel ends the task and all its children by running every deferred call
// from where each is suspended outwards. It is no panic: recover returns nil and
// stops nothing. The task ends with a *CancelError around cause, or around
// context.Canceled if that is nil; a deferred call that panics makes it a
// *PanicError. Anybody may call it, the task itself too.
//
// What is suspended unwinds now, on the calling goroutine: children before their
// parent, the one started last first. What runs is marked, and unwinds at its
// next suspension, wherever that is; so does whoever waits for it to end. The
// first cause stays.
//
// nil means that the task has ended; ErrCancelPending that it will.
// ErrThreadLocked and stackhop.ErrBubble mean that the calling goroutine cannot
// switch to it: the request stays, but the task is suspended until somebody
// resumes it or calls Cancel again.
func (t *Task) Cancel(cause error) error {
	if t.slot.Done() {
		return nil
	}
	return t.extras().node.Request(cause)
}

// CancelPending reports whether the task was asked to end, by Cancel of it or
// of a task that it descends from.
func (t *Task) CancelPending() bool { return t.slot.WasAsked() }

// An Ender is told that a task has ended.
type Ender interface {
	// TaskEnded is called by the goroutine that ran the task, when the task is done
	// and its stack is free. The task of the handle that it returns is continued when
	// TaskEnded has returned, if the handle is live. That is no nested call: a chain
	// of ends needs no stack. An Ender that only watches returns the zero Handle.
	//
	// In order: TaskEnded is called, and the task of its handle goes on; then those in
	// Wait; the task's context ends; and last its parent goes on.
	TaskEnded(t *Task) resume.Handle
}

// target is a Task as package cancel sees it.
type target Task

func (g *target) Mark(err *cancel.Error) {
	g.slot.Ask()
	if m := g.ext.Load().more.Load(); m != nil {
		m.asked(err)
	}
}

func (g *target) Claim(ready bool) cancel.Claim { return g.slot.Claim(ready) }

func (g *target) Unwind() error {
	if t := (*Task)(g); !t.begun() {
		return t.discard()
	}
	return g.slot.Unwind()
}

// begun reports whether the body of a task has begun that the caller has claimed: of
// those that New made it may not have.
func (t *Task) begun() bool { return t.body == nil }

// discard ends a claimed task whose body has not begun.
func (t *Task) discard() error {
	id := t.id
	if id.kind == once {
		if err := id.coro.Close(); err != nil {
			t.slot.Untake()
			return err
		}
	}
	t.body, t.err = nil, t.askedWith()
	return resume.RunAll(id.Ended())
}

// relate ties the task to its parent and its context. On an error it is gone.
func (t *Task) relate(set *settings) error {
	x := t.extras()
	if set.context != nil {
		if err := x.follow(t, set.context); err != nil {
			t.abandon()
			return err
		}
	}
	if set.parent != nil {
		if err := x.node.Attach(&set.parent.extras().node); err != nil {
			t.abandon()
			return err
		}
	}
	return nil
}

// unrelate takes a task that could not begin away from its relatives. What the
// end of a child leads to does not happen: its parent is below, running.
func (t *Task) unrelate() {
	x := t.ext.Load()
	if x == nil {
		return
	}
	if m := x.more.Load(); m != nil {
		m.unfollow()
	}
	x.node.Leave()
}

// abandon gives back what a prepared task was to run on.
func (t *Task) abandon() {
	id := t.id
	t.unrelate()
	id.last = nil
	if id.kind == once {
		_ = id.coro.Close() // never switched to: no error
	}
	id.release()
	t.slot.Finish()
}

// beneath reports whether t is cur or a task that cur descends from.
func (t *Task) beneath(cur *Task) bool {
	for ; cur != nil && cur != t; cur = cur.Parent() {
	}
	return cur == t
}

// Parent returns the task that WithParent named, while this one has not ended.
func (t *Task) Parent() *Task {
	if x := t.ext.Load(); x != nil {
		if p := x.node.Parent(); p != nil {
			return (*Task)(p.Target().(*target))
		}
	}
	return nil
}

// awaitChildren cancels the children that live, and returns when all have
// ended.
func (t *Task) awaitChildren() {
	node := &t.ext.Load().node
	if node.RequestChildren(parentEnded) != nil && node.HasChildren() {
		_ = t.slot.Park((*childless)(t))
	}
}

// childless is the Publisher of a task that waits for its children.
type childless Task

func (c *childless) Publish(h resume.Handle) {
	if !c.ext.Load().node.AwaitChildren(func() any { return h.Take() }) {
		_ = h.Resume()
	}
}
