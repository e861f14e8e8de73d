package sched

import (
	"context"
	"net"
	"os"
	"syscall"
	"time"
)

// Dial connects to an address, as Listen has them, without limit of time. A
// host without a name, as in ":80", is this machine. Package net looks names
// up; their addresses are tried in turn. If they are both of IPv4 and IPv6, the
// family that does not come first is tried as well after 300 milliseconds, as package
// net does (RFC 6555).
//
// Errors are *net.OpError with the fields that package net's Dial gives them.
func (n *Net) Dial(network, address string) (*Conn, error) {
	return n.DialDeadline(network, address, time.Time{})
}

// DialDeadline is Dial with a time at which connecting fails with
// os.ErrDeadlineExceeded. The time that it takes to look up a name is not
// limited. The connection itself has no deadline.
func (n *Net) DialDeadline(network, address string, t time.Time) (*Conn, error) {
	return n.dial(context.Background(), network, address, t)
}

// DialContext is Dial that ends when c does, also while it looks up a name. It
// has the form of http.Transport.DialContext; the connection is a *Conn. Once it
// is made, c has no effect on it.
//
// If c ends first, the *net.OpError matches context.Canceled or
// context.DeadlineExceeded, and context.Cause(c); of a deadline also
// os.ErrDeadlineExceeded.
func (n *Net) DialContext(c context.Context, network, address string) (net.Conn, error) {
	conn, err := n.dial(c, network, address, time.Time{})
	if err != nil {
		return nil, err
	}
	return conn, nil
}

func (n *Net) dial(c context.Context, network, address string, deadline time.Time) (*Conn, error) {
	found, err := n.resolve(c, network, address)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: withCause(c, err)}
	}
	primaries, fallbacks := found, []endpoint(nil)
	if network == "tcp" {
		primaries, fallbacks = byFamily(found)
	}
	if len(fallbacks) == 0 {
		return n.series(c, network, primaries, deadline)
	}
	return n.race(c, network, primaries, fallbacks, deadline)
}

// series tries addresses one after another. The error is that of the first one,
// unless the context has ended.
func (n *Net) series(c context.Context, network string, found []endpoint, deadline time.Time) (*Conn, error) {
	var first error
	for i, to := range found {
		conn, err := n.connect(c, network, to, share(c, deadline, len(found)-i))
		if err == nil {
			return conn, nil
		}
		over := c.Err() != nil
		if first == nil || over {
			first = &net.OpError{Op: "dial", Net: network, Addr: to.addr(), Err: err}
		}
		if over {
			break
		}
	}
	return nil, first
}

// share returns the time until which one of several addresses may be tried: an
// equal share of what is left for all of them, but at least two seconds, as
// package net has it. For the last one the context needs no help.
func share(c context.Context, deadline time.Time, addresses int) time.Time {
	if addresses == 1 {
		return deadline
	}
	if t, ok := c.Deadline(); ok && (deadline.IsZero() || t.Before(deadline)) {
		deadline = t
	}
	if deadline.IsZero() {
		return deadline
	}
	now := time.Now()
	left := deadline.Sub(now)
	return now.Add(min(left, max(left/time.Duration(addresses), 2*time.Second)))
}

// How often connect tries again. Where the system chooses the local port, a socket
// may be given the very port that it connects to, and is then connected to
// itself; or a port that is in use, which the system reports as EADDRNOTAVAIL.
// Package net tries both twice, and takes a connection to itself after that.
const (
	selfTries     = 16
	unusableTries = 2
)

// connect tries one address.
func (n *Net) connect(c context.Context, network string, to endpoint, deadline time.Time) (*Conn, error) {
	self, unusable := 0, 0
	for {
		conn, err := n.connectOnce(c, network, to, deadline)
		switch {
		case err == nil && !to.isUnix() && conn.isOwnPeer():
			conn.reset()
			if self++; self > selfTries {
				return nil, os.NewSyscallError("connect", syscall.ECONNREFUSED) // nobody else listens there
			}
		case !to.isUnix() && isUnusable(err) && unusable < unusableTries:
			unusable++
		default:
			return conn, err
		}
	}
}

func isUnusable(err error) bool {
	e, ok := err.(*os.SyscallError)
	return ok && e.Err == syscall.EADDRNOTAVAIL
}

// isOwnPeer reports whether the connection's two ends are one.
func (c *Conn) isOwnPeer() bool {
	l, r := c.local.ip, c.remote.ip
	return l.Port() == r.Port() && l.Addr().Unmap() == r.Addr().Unmap()
}

// reset closes a connection without a trace of it in the system.
func (c *Conn) reset() {
	_ = c.SetLinger(0)
	c.desc.shut()
}

// connectOnce makes one attempt. If the task is cancelled meanwhile, the
// deferred call closes the socket.
func (n *Net) connectOnce(c context.Context, network string, to endpoint, deadline time.Time) (_ *Conn, err error) {
	if err := ended(c); err != nil {
		return nil, err
	}
	fd, done, err := sysConnect(network, to)
	if err != nil {
		return nil, err
	}
	conn := newConn(n, fd, network, endpoint{local: to.local}, to)
	conn.desc.w.ready = done // otherwise the first report says so
	if err := n.watch(&conn.desc); err != nil {
		conn.desc.unwatched()
		return nil, err
	}
	connected := false
	defer func() {
		if !connected {
			conn.desc.shut()
		}
	}()
	if !done {
		if err := conn.awaitConnected(c, deadline); err != nil {
			return nil, err
		}
	}
	conn.local, conn.remote = sysNames(fd, to)
	connected = true
	return conn, nil
}

// longAgo is a deadline that has passed.
var longAgo = time.Unix(1, 0)

// awaitConnected waits until the connection is made, and no longer than the context and
// the deadline allow.
func (c *Conn) awaitConnected(until context.Context, deadline time.Time) error {
	if err := c.desc.setDeadline(deadline, false, true); err != nil {
		return err
	}
	if until.Done() == nil {
		return c.connected()
	}
	stop := context.AfterFunc(until, func() { _ = c.desc.setDeadline(longAgo, false, true) })
	defer stop() // also if the task is cancelled
	err := c.connected()
	if late := !stop(); late || err == os.ErrDeadlineExceeded {
		// The function of AfterFunc has begun and may act at any time: the connection
		// is of no use.
		if ended := ended(until); ended != nil {
			return ended
		}
	}
	return err
}

// connected waits until the connection is made, and takes the deadline away.
func (c *Conn) connected() error {
	var failed error
	err := c.desc.w.raw(func(fd uintptr) (done bool) {
		done, failed = sysConnected(int(fd))
		return done
	})
	if err == nil {
		err = failed
	}
	if err != nil {
		return err
	}
	return c.desc.setDeadline(time.Time{}, false, true)
}
