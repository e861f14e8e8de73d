package sched

import (
	"io"
	"net"
	"os"
	"time"
)

// A Conn is a connection by TCP or a Unix socket. It is a net.Conn, and whatever
// takes one can use it; called on a task, whatever the depth, its calls suspend
// the task (R13).
//
// What takes a net.Conn may lock it, as a tls.Conn does for the time of a Read or a
// Write. Then it is for one task at a time, or for goroutines: a second task that comes to
// the lock blocks the Net. See What blocks in the package's documentation.
//
// A read by TCP that got less than was asked for has emptied the socket. So the
// next one waits for the system's report without asking for data first: it costs one
// system call, not two.
//
// A connection that is not closed stays with its Net; the collector does not close it.
//
// Simultaneous Reads take turns in the order of their calls, and so do Writes;
// what one Write sends is not mixed with another's. Reads and Writes do not wait for
// each other.
type Conn struct {
	desc          desc
	network       string // as it was dialed or listened on, for errors
	local, remote endpoint
}

func newConn(n *Net, fd int, network string, local, remote endpoint) *Conn {
	c := &Conn{network: network, local: local, remote: remote}
	c.desc.init(n, fd)
	return c
}

// Read reads what is there, at least one byte, waiting for it if need be. It
// returns io.EOF at the end of the stream. Other errors are *net.OpError, and match
// net.ErrClosed, os.ErrDeadlineExceeded or a syscall.Errno; or what ctx.Task.Park
// returns: cancel.ErrUnwinding, resume.ErrThreadLocked.
func (c *Conn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, c.closed("read", c.desc.use(func(int) error { return nil }))
	}
	s := &c.desc.r
	if err := s.enter(); err != nil {
		return 0, c.failed("read", err)
	}
	for {
		if err := s.await(); err != nil {
			return 0, c.failed("read", err)
		}
		s.begin()
		n, errno := sysRead(c.desc.fd, p)
		again, restart := retryErrno(errno)
		// A read from a Unix socket also ends where a descriptor was passed.
		s.end(again, 0 < n && n < len(p) && !c.local.isUnix())
		if again || restart {
			continue
		}
		s.leave()
		switch {
		case errno != 0:
			return 0, c.failed("read", os.NewSyscallError("read", errno))
		case n == 0:
			return 0, io.EOF
		}
		return n, nil
	}
}

// Write writes all of p, waiting for room as need be. With an error, n bytes
// of it were accepted by the system before. Errors are as Read's.
func (c *Conn) Write(p []byte) (n int, err error) {
	s := &c.desc.w
	if err := s.enter(); err != nil {
		return 0, c.failed("write", err)
	}
	for n < len(p) {
		if err := s.await(); err != nil {
			return n, c.failed("write", err)
		}
		s.begin()
		more, errno := sysWrite(c.desc.fd, p[n:])
		again, restart := retryErrno(errno)
		s.end(again, false)
		switch {
		case again, restart:
			continue
		case errno != 0:
			s.leave()
			return n, c.failed("write", os.NewSyscallError("write", errno))
		}
		n += more
	}
	s.leave()
	return n, nil
}

// Close closes the connection. Calls that wait on it fail with net.ErrClosed;
// so does a second Close.
func (c *Conn) Close() error { return c.closed("close", c.desc.shut()) }

// CloseRead ends the receiving half: reads find io.EOF.
func (c *Conn) CloseRead() error { return c.closed("close", c.desc.use(sysShutdownRead)) }

// CloseWrite ends the sending half: the other end's reads find io.EOF.
func (c *Conn) CloseWrite() error { return c.closed("close", c.desc.use(sysShutdownWrite)) }

// SetDeadline sets the time at which calls that wait, and those that come, fail
// with os.ErrDeadlineExceeded; the zero time is none. Run watches the time: to a
// millisecond, and not while a task of the Net keeps it busy.
func (c *Conn) SetDeadline(t time.Time) error {
	return c.unset(c.desc.setDeadline(t, true, true))
}

// SetReadDeadline is SetDeadline for Read only.
func (c *Conn) SetReadDeadline(t time.Time) error {
	return c.unset(c.desc.setDeadline(t, true, false))
}

// SetWriteDeadline is SetDeadline for Write only.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	return c.unset(c.desc.setDeadline(t, false, true))
}

// LocalAddr returns this end's address: a *net.TCPAddr or *net.UnixAddr.
func (c *Conn) LocalAddr() net.Addr { return c.local.addr() }

// RemoteAddr returns the other end's address, as LocalAddr does.
func (c *Conn) RemoteAddr() net.Addr { return c.remote.addr() }

// Net returns what the connection belongs to.
func (c *Conn) Net() *Net { return c.desc.net }

// failed makes the error of an operation.
func (c *Conn) failed(op string, err error) error {
	return &net.OpError{Op: op, Net: c.network, Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: err}
}

// unset makes the error of a setting of this end alone, as package net does.
func (c *Conn) unset(err error) error {
	if err == nil {
		return nil
	}
	return &net.OpError{Op: "set", Net: c.network, Addr: c.LocalAddr(), Err: err}
}

func (c *Conn) closed(op string, err error) error {
	if err == nil {
		return nil
	}
	return c.failed(op, err)
}
