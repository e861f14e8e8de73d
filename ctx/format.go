package ctx

import (
	"fmt"
	"log/slog"

	"github.com/stackhop/stackhop/internal/verbose"
)

// Format is for package fmt: %+v adds the stack.
func (e *PanicError) Format(f fmt.State, verb rune) {
	verbose.Format(f, verb, e.Error(), func() string { return string(e.Stack) })
}

// LogValue makes it a slog.LogValuer: a group of the text, the task's name, the
// value, the cause of a cancel, and the stack.
func (e *PanicError) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("error", e.Error())}
	if e.Task != "" {
		attrs = append(attrs, slog.String("task", e.Task))
	}
	attrs = append(attrs, slog.String("value", fmt.Sprint(e.Value)))
	if e.Cancelled != nil {
		attrs = append(attrs, slog.String("cancelled", e.Cancelled.Unwrap().Error()))
	}
	return slog.GroupValue(append(attrs, slog.String("stack", string(e.Stack)))...)
}

// Format is for package fmt. For a live task, %+v adds what Dump writes of it, with its
// stack, at the price of a Dump; for a task that has failed, %+v adds its error.
func (t *Task) Format(f fmt.State, verb rune) {
	verbose.Format(f, verb, t.String(), t.details)
}

func (t *Task) details() string {
	if t.Done() {
		if err := t.Err(); err != nil {
			return fmt.Sprintf("%+v", err)
		}
		return ""
	}
	for _, info := range snapshot(func(_ *identity, other *Task) bool { return other == t }) {
		return info.text()
	}
	return "" // it has ended meanwhile
}

// LogValue makes it a slog.LogValuer: a group of its name, its state and, if it has
// failed or was asked to end, its error.
func (t *Task) LogValue() slog.Value {
	name := t.name()
	if name == "" {
		name = fmt.Sprintf("%p", t)
	}
	attrs := []slog.Attr{slog.String("name", name), slog.String("state", t.slot.State())}
	if err := t.Err(); err != nil {
		attrs = append(attrs, slog.Any("error", err))
	}
	return slog.GroupValue(attrs...)
}
