package sched

import (
	"errors"
	"fmt"

	"github.com/stackhop/stackhop"
)

// Errors of schedulers. After any of them nothing was queued or run.
var (
	// ErrClosed: the Pool has been closed, or is about to be and takes nothing
	// new. A handle that was to be queued is as live as before.
	ErrClosed = stackhop.ErrClosed

	// ErrRunning: the Loop is being run already.
	ErrRunning = stackhop.ErrRunning

	// ErrInside: a task of the Pool would wait for the Pool, and so for itself.
	ErrInside = errors.New("sched: a task of the pool cannot wait for the pool")

	// ErrNilFunc: Do or AfterFunc without a function.
	ErrNilFunc = errors.New("sched: nil function")

	// ErrNilScheduler: On or Via without a scheduler.
	ErrNilScheduler = errors.New("sched: nil scheduler")

	// ErrWorkers is the sentinel that every *WorkersError matches.
	ErrWorkers = errors.New("sched: unusable number of workers")
)

// MaxWorkers is how many workers a Pool can have.
const MaxWorkers = 1 << 12

// A WorkersError says that NewPool was asked for a number of workers that no
// Pool has. It matches ErrWorkers.
type WorkersError struct{ Workers int }

func (e *WorkersError) Error() string {
	return fmt.Sprintf("sched: %d workers: need 1 to %d, or 0 for one per usable processor", e.Workers, MaxWorkers)
}

// Is reports whether target is ErrWorkers.
func (e *WorkersError) Is(target error) bool { return target == ErrWorkers }

// A PanicError is a panic out of what a Pool ran that was no task's: of a
// function given to Do, or of a publish function. Panics of tasks are
// *ctx.PanicError.
type PanicError struct {
	Value any
	Stack []byte // of the goroutine that panicked, as debug.Stack has it
}

func (e *PanicError) Error() string {
	return fmt.Sprintf("sched: what was queued panicked: %v", e.Value)
}

// Unwrap returns Value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}
