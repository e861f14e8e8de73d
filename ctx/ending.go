package ctx

import (
	"github.com/stackhop/stackhop/cancel"
	"github.com/stackhop/stackhop/resume"
)

// An ending is what the end of a task leads to. In order: the Ender is called, and
// its task goes on; then the waiting tasks go on; the context ends; and last the
// parent goes on, if it awaits its children or unwinds when they have
// ended. It is a resume.Sequel: the tasks go on one after another, by no nested calls.
type ending struct {
	t      *Task
	onEnd  Ender
	waits  *waitList
	more   *more
	awake  func() any
	unwind cancel.Target
	step   int
}

// begin returns the first task that goes on. If the Ender panics, the others go on
// first.
func (e *ending) begin() (next *resume.Slot, then resume.Sequel) {
	returned := false
	defer func() {
		if !returned {
			_ = resume.RunAll(nil, e)
		}
	}()
	next, then = e.Next(), e
	returned = true
	return next, then
}

// Next does what is next, and returns the task that goes on.
func (e *ending) Next() *resume.Slot {
	for {
		switch e.step {
		case 0:
			e.step++
			if e.onEnd != nil {
				if s := e.onEnd.TaskEnded(e.t).Take(); s != nil {
					return s
				}
			}
		case 1:
			if e.waits != nil {
				if s := e.waits.wake(); s != nil {
					return s
				}
			}
			e.step++
		case 2:
			e.step++
			if e.more != nil {
				e.t.endContext(e.more)
			}
		case 3:
			e.step++
			if e.awake != nil {
				return e.awake().(*resume.Slot)
			}
		case 4:
			e.step++
			if e.unwind != nil {
				return &e.unwind.(*target).slot
			}
		default:
			return nil
		}
	}
}
