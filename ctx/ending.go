package ctx

import (
	"github.com/stackhop/stackhop/cancel"
	"github.com/stackhop/stackhop/resume"
)

// An ending is what the end of a task leads to: TaskEnded is called and names a task
// to continue, those go on who wait for it, its context ends, and last its parent goes
// on that awaited its children, or unwinds that waited for it.
type ending struct {
	t      *Task
	onEnd  Ender
	waits  *waitList
	more   *more
	awake  func() any
	unwind cancel.Target
	step   int
	last   *resume.Slot // of those to be continued, the one that is still to be
}

// ended does all that, but for continuing the last task, which it answers: its
// caller does without a nested call.
func (t *Task) ended(e ending) (last *resume.Slot) {
	e.run()
	return e.last
}

// run does the steps that are left. If the Publisher of a task that is continued
// panics, all the others are done first.
func (e *ending) run() {
	returned := false
	defer func() {
		if !returned {
			e.run()
			_ = resume.Run(e.last)
		}
	}()
	for e.step < 4 {
		e.next()
	}
	returned = true
}

func (e *ending) next() {
	step := e.step
	if step != 1 { // that one can be begun again
		e.step++
	}
	switch step {
	case 0:
		if e.onEnd != nil {
			e.then(e.onEnd.TaskEnded(e.t).Take())
		}
	case 1:
		if e.waits != nil {
			e.waits.wake(e.then)
		}
		e.step++
	case 2:
		if e.more != nil {
			e.t.endContext(e.more)
		}
	case 3:
		if e.awake != nil {
			e.then(e.awake().(*resume.Slot))
		}
		if e.unwind != nil {
			e.then(&e.unwind.(*target).slot)
		}
	}
}

// then continues the one before, and has s for the last.
func (e *ending) then(s *resume.Slot) {
	if s != nil {
		before := e.last
		e.last = s
		_ = resume.Run(before)
	}
}
