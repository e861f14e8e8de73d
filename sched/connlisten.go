package sched

import (
	"context"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// A Listener accepts connections. It is a net.Listener.
type Listener struct {
	desc    desc
	network string // for errors
	at      endpoint
}

// A ListenOption changes how Net.Listen makes a socket.
type ListenOption struct{ reusePort bool }

// ReusePort lets several listeners have the same TCP address, one for each Net:
// the system spreads connections over them, by a hash of their addresses.
func ReusePort() ListenOption { return ListenOption{reusePort: true} }

// Listen listens for connections. network is tcp, tcp4, tcp6 or unix. Of TCP,
// address is host:port. The port is a number, or the name of a service; with 0 the
// system chooses. The host may be a name; without one, Listen takes all addresses
// of this machine. Of unix, address is a path, which must not exist and is removed by
// Close, or a name that begins with @, which is not a file.
//
// Package net makes the socket. So addresses mean what they mean there, an
// accepted connection has package net's settings (no delay of small packets,
// keep-alive probes), and errors are package net's: *net.OpError, which match a
// *net.AddrError, net.UnknownNetworkError, *net.DNSError or syscall.Errno. Of a
// closed Net the error matches net.ErrClosed.
func (n *Net) Listen(network, address string, opts ...ListenOption) (*Listener, error) {
	failed := func(err error) error { return &net.OpError{Op: "listen", Net: network, Err: err} }
	if err := n.open(); err != nil {
		return nil, failed(err)
	}
	if network != "unix" && !isTCP(network) {
		return nil, failed(net.UnknownNetworkError(network))
	}
	literal, err := n.literal(network, address)
	if err != nil {
		return nil, failed(err)
	}
	reusePort := false
	for _, o := range opts {
		reusePort = reusePort || o.reusePort
	}
	fd, err := sysListen(network, literal, reusePort)
	if err != nil {
		return nil, err
	}
	at, _ := sysNames(fd, endpoint{})
	l := &Listener{network: network, at: at}
	l.desc.init(n, fd)
	l.desc.file = at.path
	if err := n.watch(&l.desc); err != nil {
		l.desc.unwatched()
		return nil, failed(err)
	}
	return l, nil
}

// literal returns an address to listen on for which package net need not look
// anything up, which would block the caller's goroutine: of several addresses that
// a name has, the first of IPv4 or, without one, the first, as package net chooses.
func (n *Net) literal(network, address string) (string, error) {
	host, service, err := net.SplitHostPort(address)
	if network == "unix" || err != nil || isLiteral(host) && isNumber(service) {
		return address, nil // package net tells what is wrong with it
	}
	found, err := n.resolve(context.Background(), network, address)
	if err != nil {
		return "", err
	}
	best := found[0]
	if i := slices.IndexFunc(found, func(e endpoint) bool { return e.ip.Addr().Unmap().Is4() }); i >= 0 {
		best = found[i]
	}
	if !best.ip.Addr().IsValid() {
		return net.JoinHostPort("", strconv.Itoa(int(best.ip.Port()))), nil
	}
	return netip.AddrPortFrom(best.ip.Addr().Unmap(), best.ip.Port()).String(), nil
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
		c := newConn(n, fd, l.network, l.local(fd), remote)
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
	local, _ := sysNames(fd, endpoint{})
	return local
}

// SetDeadline sets the time at which Accept fails with os.ErrDeadlineExceeded;
// the zero time is none.
func (l *Listener) SetDeadline(t time.Time) error { return l.desc.setDeadline(t, true, false) }

// Close ends listening. Calls of Accept fail with net.ErrClosed, and so does a
// second Close. The connections in the queue are reset, those that were accepted
// stay.
func (l *Listener) Close() error {
	if err := l.desc.shut(); err != nil {
		return &net.OpError{Op: "close", Net: l.network, Addr: l.Addr(), Err: err}
	}
	return nil
}

// Addr returns what the listener listens on: a *net.TCPAddr or *net.UnixAddr.
func (l *Listener) Addr() net.Addr { return l.at.addr() }

// Net returns what the listener belongs to.
func (l *Listener) Net() *Net { return l.desc.net }

func (l *Listener) failed(err error) error {
	return &net.OpError{Op: "accept", Net: l.network, Addr: l.Addr(), Err: err}
}
