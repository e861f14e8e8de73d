package guard

import (
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/stackhop/stackhop"
)

// Sentinels, each matched by the carrier named beside it.
var (
	ErrOverflow = errors.New("guard: coroutine stack overflow")         // *OverflowError
	ErrTrap     = errors.New("guard: the growth trap is not to be had") // *TrapError
	ErrPolicy   = errors.New("guard: unknown policy")                   // *PolicyError
)

// frames is how many of the deepest frames an OverflowError has.
const frames = 24

// An OverflowError is what a call panics with that did not fit on its stack, and
// how a task ended that did not recover from it. It matches ErrOverflow.
type OverflowError struct {
	Task    string // what ctx.WithName gave; empty in the body itself
	Call    string // the function that was called
	Size    int    // usable bytes of the stack, without what its colour takes (see mmapstack)
	Reserve int    // bytes below for the panic

	pcs [frames]uintptr
	n   int
}

// overflow makes the error on the stack that has overflowed.
func overflow(o stackhop.Overflow) error {
	e := &OverflowError{Size: int(o.Size), Reserve: int(o.Region.Limit - o.Region.Lo)}
	if fn := runtime.FuncForPC(o.PC); fn != nil {
		e.Call = fn.Name()
	}
	const skip = 3 // Callers, this function, the kernel's
	e.n = runtime.Callers(skip, e.pcs[:])
	return e
}

func (e *OverflowError) Error() string {
	task := ""
	if e.Task != "" {
		task = fmt.Sprintf(" of task %q", e.Task)
	}
	advice := "give it a larger stack, or find the recursion"
	if e.recursive() {
		advice = "the deepest frames repeat: if the recursion has an end, give it a larger stack"
	}
	return fmt.Sprintf("guard: stack overflow%s: a call of %s did not fit on a stack of %d KiB; %s", task, e.Call, (e.Size+1<<10-1)>>10, advice)
}

// recursive reports whether the function that did not fit is among the deepest
// frames already.
func (e *OverflowError) recursive() bool {
	fs := runtime.CallersFrames(e.pcs[:e.n])
	for more := e.n > 0; more; {
		var f runtime.Frame
		if f, more = fs.Next(); f.Function == e.Call {
			return true
		}
	}
	return false
}

// Is reports whether target is ErrOverflow.
func (e *OverflowError) Is(target error) bool { return target == ErrOverflow }

// Stack returns the deepest frames at the overflow, one a line, innermost first.
func (e *OverflowError) Stack() string {
	var b strings.Builder
	fs := runtime.CallersFrames(e.pcs[:e.n])
	for more := e.n > 0; more; {
		var f runtime.Frame
		f, more = fs.Next()
		fmt.Fprintf(&b, "%s\n\t%s:%d\n", f.Function, f.File, f.Line)
	}
	return b.String()
}

// A TrapError says why the growth trap cannot be installed or removed. It
// matches ErrTrap and Err.
type TrapError struct{ Err error }

func (e *TrapError) Error() string { return "guard: " + e.Err.Error() }

// Is reports whether target is ErrTrap.
func (e *TrapError) Is(target error) bool { return target == ErrTrap }

// Unwrap returns Err.
func (e *TrapError) Unwrap() error { return e.Err }

// A PolicyError is what New and NewPool return for a Policy that is none. It matches
// ErrPolicy.
type PolicyError struct{ Policy Policy }

func (e *PolicyError) Error() string {
	return fmt.Sprintf("guard: unknown policy %d: need Strict (%d) or Growing (%d)", uint8(e.Policy), Strict, Growing)
}

// Is reports whether target is ErrPolicy.
func (e *PolicyError) Is(target error) bool { return target == ErrPolicy }
