package sched

import (
	"net"
	"time"
)

// Dial connects to an address, as Listen has them, without limit of time.
// A name is looked up by package net; its addresses are tried one after another.
//
// Errors are *net.OpError, and match those of package net's Dial.
func (n *Net) Dial(network, address string) (*Conn, error) {
	return n.DialDeadline(network, address, time.Time{})
}

// DialDeadline is Dial with a time at which connecting fails with
// os.ErrDeadlineExceeded; the look-up of a name is not counted. The connection
// itself is given no deadline.
func (n *Net) DialDeadline(network, address string, t time.Time) (*Conn, error) {
	found, err := n.resolve(network, address)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	var first error
	for _, to := range found {
		c, err := n.connect(to, t)
		if err == nil {
			return c, nil
		}
		if first == nil {
			first = &net.OpError{Op: "dial", Net: network, Addr: to.addr(), Err: err}
		}
	}
	return nil, first
}

// connect tries one address. If the task is cancelled meanwhile, the deferred
// call closes what there is.
func (n *Net) connect(to endpoint, deadline time.Time) (_ *Conn, err error) {
	fd, done, err := sysConnect(to)
	if err != nil {
		return nil, err
	}
	c := newConn(n, fd, endpoint{local: to.local}, to)
	c.desc.w.ready = done // else the first report says it
	if err := n.watch(&c.desc); err != nil {
		c.desc.unwatched()
		return nil, err
	}
	connected := false
	defer func() {
		if !connected {
			c.desc.shut()
		}
	}()
	if !done {
		if err := c.connected(deadline); err != nil {
			return nil, err
		}
	}
	c.local = sysLocal(fd)
	connected = true
	return c, nil
}

// connected waits until the connection is made.
func (c *Conn) connected(deadline time.Time) error {
	if err := c.desc.setDeadline(deadline, false, true); err != nil {
		return err
	}
	s := &c.desc.w
	if err := s.enter(); err != nil {
		return err
	}
	for {
		if err := s.await(); err != nil {
			return err
		}
		s.begin()
		done, err := sysConnected(c.desc.fd)
		s.end(!done, false)
		if !done {
			continue
		}
		s.leave()
		if err != nil {
			return err
		}
		return c.desc.setDeadline(time.Time{}, false, true)
	}
}
