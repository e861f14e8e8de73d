package sched

import (
	"fmt"
	"log/slog"

	"github.com/stackhop/stackhop/internal/verbose"
)

// Format is for package fmt: %+v adds the stack.
func (e *PanicError) Format(f fmt.State, verb rune) {
	verbose.Format(f, verb, e.Error(), func() string { return string(e.Stack) })
}

// LogValue makes it a slog.LogValuer: a group of the text, the value and the stack.
func (e *PanicError) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("error", e.Error()), slog.String("value", fmt.Sprint(e.Value)), slog.String("stack", string(e.Stack)))
}
