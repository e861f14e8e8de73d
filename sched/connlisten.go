package sched

import (
	"net"
	"os"
	"syscall"
	"time"
)

// A Listener accepts connections. It is a net.Listener.
type Listener struct {
	desc desc
	at   endpoint
}

// A ListenOption changes how Net.Listen makes a socket.
type ListenOption struct{ reusePort bool }

// ReusePort lets several listeners have the same TCP address, one for each Net:
// the system spreads connections over them, by a hash of their addresses.
func ReusePort() ListenOption { return ListenOption{reusePort: true} }

// Listen listens for connections. network is tcp, tcp4, tcp6 or unix. Of TCP,
// address is host:port; the host may be a name, or missing: all addresses of this
// machine; port 0 has the system choose. Of unix it is a path, which must not exist
// and is removed by Close, or a name that begins with @, which is no file.
//
// Connections that are accepted have what package net gives to its own: no
// delay of small packets, and keep-alive probes.
//
// Errors are *net.OpError and match net.ErrClosed, or a *net.AddrError,
// net.UnknownNetworkError, *net.DNSError or syscall.Errno.
func (n *Net) Listen(network, address string, opts ...ListenOption) (*Listener, error) {
	failed := func(err error) error { return &net.OpError{Op: "listen", Net: network, Err: err} }
	found, err := n.resolve(network, address)
	if err != nil {
		return nil, failed(err)
	}
	at, reusePort := found[0], false
	for _, o := range opts {
		reusePort = reusePort || o.reusePort
	}
	fd, err := sysListen(at, reusePort)
	if err != nil {
		return nil, failed(err)
	}
	l := &Listener{at: sysLocal(fd)}
	l.desc.init(n, fd)
	if at.isUnix() {
		l.desc.file = at.path
	}
	if err := n.watch(&l.desc); err != nil {
		l.desc.unwatched()
		return nil, failed(err)
	}
	return l, nil
}

// Accept waits for a connection and returns it, as a net.Conn that is a *Conn.
func (l *Listener) Accept() (net.Conn, error) {
	c, err := l.AcceptOn(l.desc.net)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// AcceptOn waits for a connection and gives it to the Net n, which need not be
// the listener's: so one task can spread connections over the Nets of several cores.
// Whoever waits on the connection is continued by n.
//
// Errors are as Conn.Read's. If the process has too many files open
// (syscall.EMFILE, ENFILE), the connection stays in the queue: accept again when
// others were closed.
func (l *Listener) AcceptOn(n *Net) (*Conn, error) {
	s := &l.desc.r
	if err := s.enter(); err != nil {
		return nil, l.failed(err)
	}
	for {
		if err := s.await(); err != nil {
			return nil, l.failed(err)
		}
		s.begin()
		fd, remote, errno := sysAccept(l.desc.fd)
		again, restart := retryErrno(errno)
		s.end(again, false)
		if again || restart || errno == syscall.ECONNABORTED {
			continue
		}
		s.leave()
		if errno != 0 {
			return nil, l.failed(os.NewSyscallError("accept4", errno))
		}
		c := newConn(n, fd, l.local(fd), remote)
		if err := n.watch(&c.desc); err != nil {
			c.desc.unwatched()
			return nil, l.failed(err)
		}
		return c, nil
	}
}

// local returns the address on this side of an accepted connection.
func (l *Listener) local(fd int) endpoint {
	if l.at.isUnix() || !l.at.ip.Addr().IsUnspecified() {
		return l.at
	}
	return sysLocal(fd)
}

// SetDeadline sets the time at which Accept fails with os.ErrDeadlineExceeded;
// the zero time is none.
func (l *Listener) SetDeadline(t time.Time) error {
	if err := l.desc.setDeadline(t, true, false); err != nil {
		return &net.OpError{Op: "set", Net: l.at.network(), Addr: l.Addr(), Err: err}
	}
	return nil
}

// Close ends listening. Calls of Accept fail with net.ErrClosed, and so does a
// second Close. The connections in the queue are reset, those that were accepted
// stay.
func (l *Listener) Close() error {
	if err := l.desc.shut(); err != nil {
		return &net.OpError{Op: "close", Net: l.at.network(), Addr: l.Addr(), Err: err}
	}
	return nil
}

// Addr returns what the listener listens on: a *net.TCPAddr or *net.UnixAddr.
func (l *Listener) Addr() net.Addr { return l.at.addr() }

// Net returns what the listener belongs to.
func (l *Listener) Net() *Net { return l.desc.net }

func (l *Listener) failed(err error) error {
	return &net.OpError{Op: "accept", Net: l.at.network(), Addr: l.Addr(), Err: err}
}
