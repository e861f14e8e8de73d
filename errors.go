package stackhop

import (
	"errors"
	"fmt"
)

// Errors of a switch. After any of them nothing has happened: no side ran.
//
// An error has one value in the whole module: the ErrRunning of package ctx, say, is
// this one. So errors.Is finds it whichever package has returned it.
var (
	// ErrDone: the body has ended; Reset can give the coroutine another. Of a task:
	// it has ended.
	ErrDone = errors.New("stackhop: task or coroutine has ended")

	// ErrNotDone: Reset or Close of a coroutine before its body has ended. Of a task:
	// it has not ended.
	ErrNotDone = errors.New("stackhop: task or coroutine has not ended")

	// ErrClosed: Reset of a coroutine that was closed, or was made with a body. Of a
	// stack, a pool, a channel: it was closed.
	ErrClosed = errors.New("stackhop: closed")

	// ErrRunning: the coroutine runs already, here or on another thread. Of a task or
	// a loop: likewise.
	ErrRunning = errors.New("stackhop: already running")

	// ErrNotCurrent: Transfer from a coroutine whose body is not the caller.
	ErrNotCurrent = errors.New("stackhop: not called by the coroutine's own body")

	// ErrNilBody: Reset, or the start of a task, without a body.
	ErrNilBody = errors.New("stackhop: nil body")

	// ErrBubble: the two sides are in different testing/synctest bubbles.
	ErrBubble = errors.New("stackhop: switch across a testing/synctest bubble")

	// ErrUnmapped is the sentinel that every *UnmappedError matches.
	ErrUnmapped = errors.New("stackhop: no coroutine can run on a region in this program")

	// ErrThreadLocked is the sentinel that every *ThreadLockError matches.
	ErrThreadLocked = errors.New("stackhop: body keeps its OS thread locked")
)

// A ThreadLockError says that a body would suspend or end while it holds
// another number of OS-thread locks than when it was switched to: it called
// runtime.LockOSThread without UnlockOSThread, or it is inside a cgo callback,
// which is tied to its thread. It matches ErrThreadLocked.
type ThreadLockError struct {
	External int // LockOSThread calls not undone, in calls
	Internal int // locks of the runtime itself: 1 for each cgo callback below
}

func (e *ThreadLockError) Error() string {
	if e.Internal != 0 {
		return fmt.Sprintf("stackhop: switch inside a cgo callback (%d deep), which is tied to its OS thread: suspend outside the callback", e.Internal)
	}
	return fmt.Sprintf("stackhop: body has %d more LockOSThread than UnlockOSThread calls since it was switched to: unlock before suspending", e.External)
}

// Is reports whether target is ErrThreadLocked.
func (e *ThreadLockError) Is(target error) bool { return target == ErrThreadLocked }

// An UnmappedError says why coroutines run only on stacks of the Go runtime in this
// program. It matches ErrUnmapped.
type UnmappedError struct{ Why string }

func (e *UnmappedError) Error() string {
	return "stackhop: no coroutine can run on a region: " + e.Why + "; use a stack of the runtime, the zero Region"
}

// Is reports whether target is ErrUnmapped.
func (e *UnmappedError) Is(target error) bool { return target == ErrUnmapped }
