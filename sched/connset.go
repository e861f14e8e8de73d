package sched

import (
	"net"
	"syscall"
	"time"
)

// SetNoDelay sets whether TCP sends small packets at once or collects them. The default
// is true: at once.
func (c *Conn) SetNoDelay(on bool) error {
	return c.setTCP(func(fd int) error { return sysSet(fd, optNoDelay, flag(on)) })
}

// SetLinger sets what Close does with data that was not sent or acknowledged. If sec is
// negative, the default, the system goes on to send it. If sec is 0, the data is dropped
// and the connection reset. If sec is positive, the system does that after sec seconds,
// and Close may block the goroutine for as long.
func (c *Conn) SetLinger(sec int) error {
	return c.setTCP(func(fd int) error { return sysSetLinger(fd, sec) })
}

// SetKeepAlive sets whether TCP sends keep-alive probes. The default is true.
func (c *Conn) SetKeepAlive(on bool) error {
	return c.setTCP(func(fd int) error { return sysSet(fd, optKeepAlive, flag(on)) })
}

// SetKeepAlivePeriod sets how long a connection is idle before TCP sends the first
// probe. 0 means 15 seconds, the default. A negative period changes nothing.
func (c *Conn) SetKeepAlivePeriod(d time.Duration) error {
	return c.setTCP(func(fd int) error { return setSeconds(fd, optKeepIdle, d) })
}

// SetKeepAliveConfig sets all about keep-alive probes, as net.TCPConn's does.
func (c *Conn) SetKeepAliveConfig(k net.KeepAliveConfig) error {
	return c.setTCP(func(fd int) error {
		err := sysSet(fd, optKeepAlive, flag(k.Enable))
		if err == nil {
			err = setSeconds(fd, optKeepIdle, k.Idle)
		}
		if err == nil {
			err = setSeconds(fd, optKeepInterval, k.Interval)
		}
		switch {
		case err != nil || k.Count < 0:
		case k.Count == 0:
			err = sysSet(fd, optKeepCount, keepAliveProbes)
		default:
			err = sysSet(fd, optKeepCount, k.Count)
		}
		return err
	})
}

// SetReadBuffer sets the size of the system's buffer for what was received.
func (c *Conn) SetReadBuffer(bytes int) error {
	return c.unset(c.desc.use(func(fd int) error { return sysSet(fd, optReadBuffer, bytes) }))
}

// SetWriteBuffer sets the size of the system's buffer for what is to be sent.
func (c *Conn) SetWriteBuffer(bytes int) error {
	return c.unset(c.desc.use(func(fd int) error { return sysSet(fd, optWriteBuffer, bytes) }))
}

// keepAliveTime and keepAliveProbes are package net's defaults.
const (
	keepAliveTime   = 15 * time.Second
	keepAliveProbes = 9
)

// setTCP sets something that a Unix socket does not have.
func (c *Conn) setTCP(set func(fd int) error) error {
	if c.local.isUnix() {
		return c.failed("set", syscall.EOPNOTSUPP)
	}
	return c.closed("set", c.desc.use(set))
}

// setSeconds sets a time as package net does: rounded up to seconds.
func setSeconds(fd int, o option, d time.Duration) error {
	if d < 0 {
		return nil
	}
	if d == 0 {
		d = keepAliveTime
	}
	return sysSet(fd, o, int((d+time.Second-1)/time.Second))
}

func flag(on bool) int {
	if on {
		return 1
	}
	return 0
}

// An option is one of a socket.
type option int

const (
	optNoDelay option = iota
	optKeepAlive
	optKeepIdle
	optKeepInterval
	optKeepCount
	optReadBuffer
	optWriteBuffer
)
