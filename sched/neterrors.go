package sched

import (
	"errors"
	"net"
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
