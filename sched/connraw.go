package sched

import (
	"net"
	"syscall"
)

// SyscallConn returns access to the socket, as *net.TCPConn's does: Control for
// its settings; Read and Write for system calls that may find the socket not ready and
// then wait as Conn.Read and Conn.Write do. It makes a Conn a syscall.Conn.
// The error is nil.
func (c *Conn) SyscallConn() (syscall.RawConn, error) { return &rawConn{c}, nil }

type rawConn struct{ c *Conn }

// Control calls f with the socket, which stays open meanwhile.
func (r *rawConn) Control(f func(fd uintptr)) error {
	d := &r.c.desc
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return &net.OpError{Op: "raw-control", Net: r.c.network, Addr: r.c.LocalAddr(), Err: net.ErrClosed}
	}
	d.calls++
	d.mu.Unlock()
	defer func() { // also if f panics
		d.mu.Lock()
		d.called()
		d.mu.Unlock()
	}()
	f(uintptr(d.fd))
	return nil
}

// Read calls f until it returns true, each time when there may be something to read.
func (r *rawConn) Read(f func(fd uintptr) (done bool)) error {
	return r.c.closed("raw-read", r.c.desc.r.raw(f))
}

// Write calls f until it returns true, each time when there may be room.
func (r *rawConn) Write(f func(fd uintptr) (done bool)) error {
	return r.c.closed("raw-write", r.c.desc.w.raw(f))
}

// raw is a turn of f's calls on the side.
func (s *side) raw(f func(fd uintptr) (done bool)) error {
	if err := s.enter(); err != nil {
		return err
	}
	for {
		if err := s.await(); err != nil {
			return err
		}
		s.begin()
		done, returned := false, false
		func() {
			defer func() {
				s.end(returned && !done, false)
				if !returned || done {
					s.leave()
				}
			}()
			done = f(uintptr(s.desc.fd))
			returned = true
		}()
		if done {
			return nil
		}
	}
}
