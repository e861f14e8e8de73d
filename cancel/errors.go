package cancel

import (
	"context"
	"errors"
)

var (
	// ErrCancelPending: the target could not be unwound at once, because it, or
	// something below it, runs. It unwinds when that suspends or ends.
	ErrCancelPending = errors.New("cancel: pending until the task suspends")

	// ErrUnwinding: the task is being cancelled, and cannot suspend any more.
	ErrUnwinding = errors.New("cancel: task is unwinding")
)

// An Error is how a cancelled task ended. errors.Is and errors.As look into
// Cause. If a context ended the task, that is its context.Cause: context.Canceled,
// context.DeadlineExceeded, or the error given to context.WithCancelCause and its
// kin, which need not match these two.
type Error struct {
	Cause error // what Cancel was given; context.Canceled for nil
}

func (e *Error) Error() string { return "cancelled: " + e.Unwrap().Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error {
	if e.Cause == nil {
		return context.Canceled
	}
	return e.Cause
}
