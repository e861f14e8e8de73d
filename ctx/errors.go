package ctx

import (
	"errors"
	"fmt"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/cancel"
	"github.com/stackhop/stackhop/resume"
)

// Errors of tasks. After those of a call, nothing has happened.
var (
	// ErrGoexit: the body was ended by runtime.Goexit.
	ErrGoexit = errors.New("ctx: task was ended by runtime.Goexit")

	// ErrNilBody: Spawn without a body.
	ErrNilBody = stackhop.ErrNilBody

	// ErrStackInUse: another task is on the stack that WithStack names.
	ErrStackInUse = errors.New("ctx: a task is on this stack")

	// ErrOption is the sentinel that every *OptionError matches.
	ErrOption = errors.New("ctx: unusable option")

	// ErrParentEnded is the cause of children that their parent's body has left
	// when it ended.
	ErrParentEnded = errors.New("ctx: the parent has ended")

	// ErrRunning: the task runs, or waits for one that it has resumed.
	ErrRunning = resume.ErrRunning

	// ErrNotYielded: the task is suspended, but under a handle.
	ErrNotYielded = resume.ErrNotYielded

	// ErrDone: the task has ended, or was freed.
	ErrDone = resume.ErrDone

	// ErrNotDone: Free of a task that has not ended.
	ErrNotDone = resume.ErrNotDone

	// ErrThreadLocked: a switch would tear a goroutine from the OS thread that
	// it is locked to.
	ErrThreadLocked = stackhop.ErrThreadLocked
)

// parentEnded is what children are cancelled with.
var parentEnded = &cancel.Error{Cause: ErrParentEnded}

// A CancelError is how a task ended that was cancelled.
type CancelError = cancel.Error

// A PanicError is how a task ended that panicked. errors.Is and errors.As
// look into Value if it is an error, and into Cancelled: so after a cancel ask for
// a *PanicError first, then for the cause.
type PanicError struct {
	Task      string       // what WithName gave
	Value     any          // what the body panicked with
	Stack     []byte       // text of the task's stack when it panicked, as debug.Stack has it
	Cancelled *CancelError // set if a deferred call panicked while the task was cancelled
}

func (e *PanicError) Error() string {
	if e.Task == "" {
		return fmt.Sprintf("ctx: task panicked: %v", e.Value)
	}
	return fmt.Sprintf("ctx: task %q panicked: %v", e.Task, e.Value)
}

// Unwrap returns Value if it is an error, and Cancelled if that is set.
func (e *PanicError) Unwrap() (errs []error) {
	if err, ok := e.Value.(error); ok {
		errs = append(errs, err)
	}
	if e.Cancelled != nil {
		errs = append(errs, e.Cancelled)
	}
	return errs
}

// An OptionError says which option of Spawn cannot be followed. It matches
// ErrOption, and Err if that is set.
type OptionError struct {
	Option string // its name
	Value  any    // what was given
	Limit  string // what would be right
	Err    error  // the refusal of a lower package, or nil
}

func (e *OptionError) Error() string {
	s := fmt.Sprintf("ctx: %s(%v): %s", e.Option, e.Value, e.Limit)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Is reports whether target is ErrOption.
func (e *OptionError) Is(target error) bool { return target == ErrOption }

// Unwrap returns Err.
func (e *OptionError) Unwrap() error { return e.Err }
