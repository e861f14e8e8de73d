package leaf

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/cancel"
)

// Errors of waiting calls. After ErrUnwinding and ErrThreadLocked nothing has
// happened: the caller did not wait, and has not got what it asked for.
var (
	// ErrClosed: Send on a closed Chan; Recv on one that is closed and empty.
	ErrClosed = stackhop.ErrClosed

	// ErrWeight is the sentinel that every *WeightError matches.
	ErrWeight = errors.New("leaf: weight that the semaphore can never have")

	// ErrTimeout is the sentinel that every *TimeoutError matches.
	ErrTimeout = errors.New("leaf: timeout")

	// ErrUnwinding: the call would wait, and was made by a deferred call of a
	// task that is being cancelled.
	ErrUnwinding = cancel.ErrUnwinding

	// ErrThreadLocked: the call would wait, but the task has locked its OS
	// thread. errors.As finds a *stackhop.ThreadLockError.
	ErrThreadLocked = stackhop.ErrThreadLocked
)

// A WeightError says that a weight is negative, or more than the semaphore has.
// It matches ErrWeight.
type WeightError struct {
	Weight, Size int64
}

func (e *WeightError) Error() string {
	return fmt.Sprintf("leaf: semaphore of %d can never give %d: ask for 0 to %d", e.Size, e.Weight, e.Size)
}

// Is reports whether target is ErrWeight.
func (e *WeightError) Is(target error) bool { return target == ErrWeight }

// A TimeoutError says that something took longer than it was given. It matches
// ErrTimeout and context.DeadlineExceeded, and it is a net.Error.
type TimeoutError struct {
	Limit time.Duration
}

func (e *TimeoutError) Error() string { return fmt.Sprintf("leaf: not done within %v", e.Limit) }

// Is reports whether target is ErrTimeout or context.DeadlineExceeded.
func (e *TimeoutError) Is(target error) bool {
	return target == ErrTimeout || target == context.DeadlineExceeded
}

// Timeout returns true.
func (e *TimeoutError) Timeout() bool { return true }

// Temporary returns true, as that of context.DeadlineExceeded.
func (e *TimeoutError) Temporary() bool { return true }

// A StrandedError is what a call panics with that had to resume a task of
// another testing/synctest bubble, as Go's channels panic there. The waiter keeps
// what it was given, and goes on when somebody in its bubble next waits for the same
// thing or lets go of it. It matches stackhop.ErrBubble.
type StrandedError struct{}

func (*StrandedError) Error() string {
	return "leaf: the waiter that this call has to resume is in another testing/synctest bubble: make the call inside that"
}

// Unwrap returns stackhop.ErrBubble.
func (*StrandedError) Unwrap() error { return stackhop.ErrBubble }
