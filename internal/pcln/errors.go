package pcln

import (
	"errors"
	"fmt"
)

var (
	// ErrFormat says that a file is not a Go program of a known form.
	ErrFormat = errors.New("pcln: not a Go program of a known form")

	// ErrLimit says that a value in a file is beyond what Parse accepts. Such an
	// error Is ErrFormat too.
	ErrLimit = errors.New("pcln: beyond a limit")
)

// A FormatError says what of a file is not as Parse expects it.
type FormatError struct {
	What  string // the part of the file, with the value found
	Func  string // the function with the faulty tables; empty for the file's own
	Limit uint64 // the most that Parse accepts, if that is the reason; else 0
}

func (e *FormatError) Error() string {
	s := "pcln: " + e.What
	if e.Limit != 0 {
		s += fmt.Sprintf(" (at most %d)", e.Limit)
	}
	if e.Func != "" {
		s += " in function " + e.Func
	}
	return s
}

// Is reports whether target is ErrFormat, or ErrLimit where a limit is exceeded.
func (e *FormatError) Is(target error) bool {
	return target == ErrFormat || target == ErrLimit && e.Limit != 0
}

func formatf(format string, args ...any) *FormatError {
	return &FormatError{What: fmt.Sprintf(format, args...)}
}

func limitf(limit uint64, format string, args ...any) *FormatError {
	return &FormatError{What: fmt.Sprintf(format, args...), Limit: limit}
}
