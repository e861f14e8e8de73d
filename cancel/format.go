package cancel

import (
	"fmt"
	"log/slog"

	"github.com/stackhop/stackhop/internal/verbose"
)

// Format is for package fmt: %+v has the cause in that form.
func (e *Error) Format(f fmt.State, verb rune) {
	text := e.Error()
	if verb == 'v' && f.Flag('+') {
		text = fmt.Sprintf("cancelled: %+v", e.Unwrap())
	}
	verbose.Format(f, verb, text, func() string { return "" })
}

// LogValue makes it a slog.LogValuer: a group of the text and the cause.
func (e *Error) LogValue() slog.Value {
	return slog.GroupValue(slog.String("error", e.Error()), slog.Any("cause", e.Unwrap()))
}
