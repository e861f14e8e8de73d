package resume

import (
	"errors"

	"github.com/stackhop/stackhop"
)

// Errors of handles and slots. After any of them nothing has happened.
var (
	// ErrStale: the handle was used, its task has ended, or it is the zero Handle.
	ErrStale = errors.New("resume: stale handle")

	// ErrThreadLocked: a switch would tear a goroutine from the OS thread that
	// it is locked to. It is the kernel's; errors.As finds a
	// *stackhop.ThreadLockError with the details.
	ErrThreadLocked = stackhop.ErrThreadLocked

	// ErrNotOnTask: the call must be made by the body of a task.
	ErrNotOnTask = errors.New("resume: not called on a task")

	// ErrRunning: the task runs, or waits for one that it has resumed.
	ErrRunning = stackhop.ErrRunning

	// ErrNotYielded: the task is suspended, but not in its owner's hands: only
	// its handle continues it.
	ErrNotYielded = errors.New("resume: task is suspended under a handle")

	// ErrDone: the task has ended.
	ErrDone = stackhop.ErrDone

	// ErrNotDone: the task has not ended.
	ErrNotDone = stackhop.ErrNotDone
)
