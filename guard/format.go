package guard

import (
	"fmt"
	"log/slog"

	"github.com/stackhop/stackhop/internal/verbose"
)

// Format is for package fmt: %+v adds the stack.
func (e *OverflowError) Format(f fmt.State, verb rune) {
	verbose.Format(f, verb, e.Error(), e.Stack)
}

// LogValue makes it a slog.LogValuer: a group of the text, the task's name, the call
// that did not fit, the size of the stack, and its deepest frames.
func (e *OverflowError) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("error", e.Error())}
	if e.Task != "" {
		attrs = append(attrs, slog.String("task", e.Task))
	}
	return slog.GroupValue(append(attrs, slog.String("call", e.Call), slog.Int("size", e.Size), slog.String("stack", e.Stack()))...)
}
