package join

import (
	"errors"

	"github.com/stackhop/stackhop/cancel"
)

var (
	// ErrNoArms: Any, Race or Select without an arm: none could ever win.
	ErrNoArms = errors.New("join: no arms")

	// ErrNoArm: the error of an Arm that is zero, or waits for a nil task.
	ErrNoArm = errors.New("join: arm that waits for nothing")

	// ErrLost is the cause for which the losers of Any, Race and Select are cancelled.
	ErrLost = errors.New("join: another arm won")

	// ErrClosed: the channel of the Recv arm that won is closed.
	ErrClosed = errors.New("join: channel is closed")

	// ErrNotOwner: Scope.Wait by another task or goroutine than the scope's own.
	ErrNotOwner = errors.New("join: not called by the owner of the scope")
)

// lost is what losers end with. One for all: a request with an *Error
// allocates nothing.
var lost = &cancel.Error{Cause: ErrLost}
