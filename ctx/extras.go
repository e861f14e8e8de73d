package ctx

import (
	"sync/atomic"

	"github.com/stackhop/stackhop/cancel"
	"github.com/stackhop/stackhop/resume"
)

// extras is what few tasks have: relatives, a name, somebody who cares for their end.
// A task without is answered for as one whose extras are new would be (T7).
type extras struct {
	node  cancel.Node
	onEnd Ender
	home  resume.Publisher
	name  string
	more  atomic.Pointer[more]
	waits atomic.Pointer[waitList]
}

// newTask makes one that has extras from the beginning, if the options call for them:
// in one allocation.
func newTask(set *settings) *Task {
	if !set.extras {
		return new(Task)
	}
	both := new(struct {
		task Task
		ext  extras
	})
	t, x := &both.task, &both.ext
	x.node.Init((*target)(t))
	t.give(x, set)
	t.ext.Store(x)
	return t
}

// extras makes them at the first need, which may be anybody's at any time. They stay
// the Task's.
func (t *Task) extras() *extras {
	if x := t.ext.Load(); x != nil {
		return x
	}
	return t.extend()
}

//go:noinline
func (t *Task) extend() *extras {
	x := new(extras)
	x.node.Init((*target)(t))
	t.ext.CompareAndSwap(nil, x)
	return t.ext.Load()
}

// give notes in x, the task's, what the options say that concerns it alone.
func (t *Task) give(x *extras, set *settings) {
	x.name, x.onEnd, x.home = set.name, set.onEnd, set.home
	t.slot.Flag = set.home != nil
}

// name is what WithName gave.
//
// nosplit: taskOn may run on the signal stack.
//
//go:nosplit
func (t *Task) name() string {
	if x := t.ext.Load(); x != nil {
		return x.name
	}
	return ""
}

// hasFamily reports whether the task has, or had, children. It is the body's to ask.
func (t *Task) hasFamily() bool {
	x := t.ext.Load()
	return x != nil && x.node.HadChildren()
}

// askedWith is the error of a task that was asked to end: by its node.
func (t *Task) askedWith() *cancel.Error { return t.ext.Load().node.Err() }
