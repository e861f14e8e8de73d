package sched

import (
	"context"
	"errors"
	"net"
	"os"
)

// Errors of a Net itself. Those of its sockets are *net.OpError as in package net,
// and match net.ErrClosed, os.ErrDeadlineExceeded or the system's syscall.Errno;
// the end of a stream is io.EOF.
var (
	// ErrNetClosed: the Net was closed. It matches net.ErrClosed.
	ErrNetClosed error = closedError{}

	// ErrNetRunning: another goroutine, or a caller of this one, is in Run.
	ErrNetRunning = errors.New("sched: Net.Run is under way already")
)

type closedError struct{}

func (closedError) Error() string        { return "sched: the Net is closed" }
func (closedError) Is(target error) bool { return target == net.ErrClosed }

// An endedError says that a context ended before a connection was made. Its text
// begins as package net's does.
type endedError struct{ err, cause error }

// ended returns the error of a context that has ended, or nil.
func ended(c context.Context) error {
	err := c.Err()
	if err == nil {
		return nil
	}
	return &endedError{err, context.Cause(c)}
}

// withCause adds the cause of a context that has ended to an error that this
// may have led to.
func withCause(c context.Context, err error) error {
	if e := ended(c); e != nil && errors.Is(err, c.Err()) {
		return e
	}
	return err
}

func (e *endedError) Error() string {
	text := "operation was canceled"
	if e.Timeout() {
		text = "i/o timeout"
	}
	if e.cause != nil && e.cause != e.err {
		text += ": " + e.cause.Error()
	}
	return text
}

// Is reports whether target is what the context's Err returned or, after a
// deadline, os.ErrDeadlineExceeded.
func (e *endedError) Is(target error) bool {
	return target == e.err || target == os.ErrDeadlineExceeded && e.Timeout()
}

func (e *endedError) Unwrap() error   { return e.cause }
func (e *endedError) Timeout() bool   { return e.err == context.DeadlineExceeded }
func (e *endedError) Temporary() bool { return e.Timeout() }
