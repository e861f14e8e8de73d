package ctx

import (
	"github.com/stackhop/stackhop/cancel"
	"github.com/stackhop/stackhop/resume"
)

// An ending is what the end of a task leads to. In order: the Ender is called, the
// context ends, and then these tasks go on, one after another: the Ender's, those
// that wait for the end, and last the parent that awaited its children, or that is
// to unwind when they have ended.
type ending struct {
	t      *Task
	onEnd  Ender
	waits  *waitList
	more   *more
	awake  func() any
	unwind cancel.Target
	step   int
	first  *resume.Slot // of those that go on: a list, by Slot.Then
	last   *resume.Slot
}

// ended does all that, but for continuing the tasks, which it returns: its caller
// does without a nested call.
func (t *Task) ended(e ending) (first *resume.Slot) {
	e.run()
	return e.first
}

// run does the steps that are left. If the Ender panics, the others are done first,
// and the tasks go on.
func (e *ending) run() {
	returned := false
	defer func() {
		if !returned {
			e.run()
			_ = resume.Run(e.first)
		}
	}()
	for e.step < 4 {
		e.step++
		e.do(e.step)
	}
	returned = true
}

func (e *ending) do(step int) {
	switch step {
	case 1:
		if e.onEnd != nil {
			e.then(e.onEnd.TaskEnded(e.t).Take())
		}
	case 2:
		if e.more != nil {
			e.t.endContext(e.more)
		}
	case 3:
		if e.waits != nil {
			e.waits.wake(e.then)
		}
	case 4:
		if e.awake != nil {
			e.then(e.awake().(*resume.Slot))
		}
		if e.unwind != nil {
			e.then(&e.unwind.(*target).slot)
		}
	}
}

// then adds s to those that go on.
func (e *ending) then(s *resume.Slot) {
	switch {
	case s == nil:
	case e.first == nil:
		e.first, e.last = s, s
	default:
		e.last.Then(s)
		e.last = s
	}
}
