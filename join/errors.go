package join

import (
	"errors"
	"fmt"

	"github.com/stackhop/stackhop"
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
	ErrClosed = stackhop.ErrClosed

	// ErrArms is the sentinel that every *ArmsError matches.
	ErrArms = errors.New("join: too many arms")

	// ErrNotOwner: Scope.Wait by another task or goroutine than the scope's own.
	ErrNotOwner = errors.New("join: not called by the owner of the scope")
)

const (
	// MaxArms is how many arms a combinator can have.
	MaxArms = noWinner - 1

	// MaxRecv is how many of them can be Recv arms: reflect.Select takes 65,536
	// cases, and one of them ends it.
	MaxRecv = 1<<16 - 1
)

// An ArmsError says that a combinator was given more arms than it can have. None of
// them has begun. It matches ErrArms.
type ArmsError struct {
	Arms, Limit int
	Recv        bool // they are those of Recv
}

func (e *ArmsError) Error() string {
	if e.Recv {
		return fmt.Sprintf("join: %d Recv arms: a Select can have %d; receive from several channels in one Body arm", e.Arms, e.Limit)
	}
	return fmt.Sprintf("join: %d arms: a combinator can have %d", e.Arms, e.Limit)
}

// Is reports whether target is ErrArms.
func (e *ArmsError) Is(target error) bool { return target == ErrArms }

// fits returns an *ArmsError if n arms are too many.
func fits(n int) error {
	if n > MaxArms {
		return &ArmsError{Arms: n, Limit: MaxArms}
	}
	return nil
}

// lost is what losers end with. One for all: a request with an *Error
// allocates nothing.
var lost = &cancel.Error{Cause: ErrLost}
