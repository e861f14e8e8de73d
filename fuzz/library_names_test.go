package fuzz

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/stackhop/stackhop/cancel"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/join"
	"github.com/stackhop/stackhop/resume"
)

// A value is what opPanic panics with.
type value int

func (v value) Error() string { return valueNames[v] }

var causeErrors = [...]error{nil, errors.New("cause 1"), errors.New("cause 2"), errors.New("cause 3"), ctx.ErrParentEnded, join.ErrLost}

// nameOf names what was panicked with.
func nameOf(v any) string {
	switch v := v.(type) {
	case runtime.Error:
		return v.Error() + "\n" + string(debug.Stack())
	case value:
		return v.Error()
	case error:
		return errorName(v)
	}
	return fmt.Sprint(v)
}

var errorNames = map[error]string{
	nil:                     isOK,
	resume.ErrStale:         isStale,
	resume.ErrNotOnTask:     isPlain,
	ctx.ErrRunning:          isRunning,
	ctx.ErrNotYielded:       isNotYielded,
	ctx.ErrDone:             isDone,
	ctx.ErrNotDone:          isNotDone,
	ctx.ErrStackInUse:       isInUse,
	ctx.ErrGoexit:           isGoexit,
	cancel.ErrCancelPending: isPending,
	cancel.ErrUnwinding:     isUnwinding,
}

// errorName names an error that a call returned.
func errorName(err error) string {
	if name, ok := errorNames[err]; ok {
		return name
	}
	switch err := err.(type) {
	case value:
		return err.Error()
	case *ctx.PanicError:
		name := "panic " + nameOf(err.Value)
		var cancelled *ctx.CancelError
		if errors.As(error(err), &cancelled) && err.Cancelled == cancelled {
			name += " in " + causeName(cancelled)
		}
		return name
	case *ctx.CancelError:
		return causeName(err)
	}
	if errors.Is(err, ctx.ErrOption) {
		return isRefused
	}
	return err.Error()
}

func causeName(err *ctx.CancelError) string {
	if err == nil {
		return "a nil *CancelError"
	}
	for i, cause := range causeErrors {
		if err.Cause == cause {
			return causeNames[i]
		}
	}
	return "cancelled by " + errorName(err.Cause)
}
