package sched

import (
	"context"
	"encoding/binary"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// pollEvent is one report of epoll: which descriptor, and what it is ready for.
type pollEvent = unix.EpollEvent

// A poller is an epoll instance and an eventfd that interrupts it.
type poller struct {
	epoll int
	event int
}

// What a descriptor is watched for, from its registration to its close. An edge
// is reported once; what it said is kept in the descriptor's sides.
const watched = unix.EPOLLIN | unix.EPOLLPRI | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET

func openPoller() (poller, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return poller{}, os.NewSyscallError("epoll_create1", err)
	}
	event, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		unix.Close(epoll)
		return poller{}, os.NewSyscallError("eventfd2", err)
	}
	p := poller{epoll: epoll, event: event}
	if err := p.add(event, slotKey{}); err != nil {
		p.close()
		return poller{}, err
	}
	return p, nil
}

func (p *poller) close() {
	unix.Close(p.epoll)
	unix.Close(p.event)
}

// add watches fd under key. Closing fd ends that: it is nowhere duplicated.
func (p *poller) add(fd int, key slotKey) error {
	e := pollEvent{Events: watched, Fd: int32(key.slot), Pad: int32(key.gen)}
	if fd == p.event {
		e.Events = unix.EPOLLIN | unix.EPOLLET // never read: each write to it is an edge
	}
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(p.epoll, unix.EPOLL_CTL_ADD, fd, &e))
}

// notify ends a block, now or when it comes.
func (p *poller) notify() {
	var one [8]byte
	binary.NativeEndian.PutUint64(one[:], 1)
	for {
		_, err := unix.Write(p.event, one[:])
		if err != unix.EINTR {
			return // EAGAIN: 2⁶⁴-2 notifications, which nobody lives to see
		}
	}
}

// block waits for events, for at most ms milliseconds or, if ms is negative,
// without limit. The OS thread sleeps in it; the runtime is told.
func (p *poller) block(events []pollEvent, ms int) int {
	n, err := unix.EpollWait(p.epoll, events, ms)
	if err != nil {
		return 0 // EINTR: the loop comes again; nothing else can happen to an open poller
	}
	return n
}

// pending reports whether there are events, and leaves them there.
func (p *poller) pending() bool {
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(p.epoll), Events: unix.POLLIN}}, 0)
	return err == nil && n != 0
}

func eventKey(e *pollEvent) slotKey { return slotKey{uint32(e.Fd), uint32(e.Pad)} }

// eventReady says which sides an event makes ready. odd means that a read may
// end early from now on: at urgent data, at the end of the stream, at an error.
func eventReady(e *pollEvent) (read, write, odd bool) {
	const (
		broken  = unix.EPOLLERR | unix.EPOLLHUP
		oddRead = unix.EPOLLPRI | unix.EPOLLRDHUP | broken
	)
	return e.Events&(unix.EPOLLIN|oddRead) != 0, e.Events&(unix.EPOLLOUT|broken) != 0, e.Events&oddRead != 0
}

func sysClose(fd int) error { return os.NewSyscallError("close", unix.Close(fd)) }

func sysShutdownRead(fd int) error {
	return os.NewSyscallError("shutdown", unix.Shutdown(fd, unix.SHUT_RD))
}

func sysShutdownWrite(fd int) error {
	return os.NewSyscallError("shutdown", unix.Shutdown(fd, unix.SHUT_WR))
}

var options = [...]struct{ level, name int }{
	optNoDelay:      {unix.IPPROTO_TCP, unix.TCP_NODELAY},
	optKeepAlive:    {unix.SOL_SOCKET, unix.SO_KEEPALIVE},
	optKeepIdle:     {unix.IPPROTO_TCP, unix.TCP_KEEPIDLE},
	optKeepInterval: {unix.IPPROTO_TCP, unix.TCP_KEEPINTVL},
	optKeepCount:    {unix.IPPROTO_TCP, unix.TCP_KEEPCNT},
	optReadBuffer:   {unix.SOL_SOCKET, unix.SO_RCVBUF},
	optWriteBuffer:  {unix.SOL_SOCKET, unix.SO_SNDBUF},
}

func sysSet(fd int, o option, value int) error {
	at := &options[o]
	return os.NewSyscallError("setsockopt", unix.SetsockoptInt(fd, at.level, at.name, value))
}

// sysAccept takes a connection off the queue of a listener.
func sysAccept(fd int) (int, endpoint, syscall.Errno) {
	nfd, sa, err := syscall.Accept4(fd, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
	if err != nil {
		return -1, endpoint{}, err.(syscall.Errno)
	}
	return nfd, fromSockaddr(sa), 0
}

// sysListen has package net make a listening socket, and takes it over. What it
// sets for TCP, the accepted sockets inherit. Neither the network nor the address
// is one that package net would have to look up.
func sysListen(network, address string, reusePort bool) (fd int, err error) {
	lc := net.ListenConfig{}
	lc.SetMultipathTCP(false)
	if isTCP(network) {
		lc.Control = func(_, _ string, raw syscall.RawConn) error { return setListenTCP(raw, reusePort) }
	}
	l, err := lc.Listen(context.Background(), network, address)
	if err != nil {
		return -1, err
	}
	defer l.Close()
	if u, ok := l.(*net.UnixListener); ok {
		u.SetUnlinkOnClose(false)
	}
	failed := func(err error) error {
		if u, ok := l.(*net.UnixListener); ok {
			u.SetUnlinkOnClose(true)
		}
		return &net.OpError{Op: "listen", Net: network, Addr: l.Addr(), Err: err}
	}
	raw, err := l.(syscall.Conn).SyscallConn()
	if err != nil {
		return -1, failed(err)
	}
	var duplicate error
	if err := raw.Control(func(theirs uintptr) {
		fd, duplicate = unix.FcntlInt(theirs, unix.F_DUPFD_CLOEXEC, 0)
	}); err != nil {
		return -1, failed(err)
	}
	if duplicate != nil {
		return -1, failed(os.NewSyscallError("fcntl", duplicate))
	}
	return fd, nil
}

// setListenTCP sets what a listening socket of TCP is to have before it is bound.
func setListenTCP(raw syscall.RawConn, reusePort bool) (err error) {
	if cannot := raw.Control(func(fd uintptr) {
		if err = setTCP(int(fd)); err == nil && reusePort {
			err = os.NewSyscallError("setsockopt", unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1))
		}
	}); cannot != nil {
		return cannot
	}
	return err
}

// setTCP gives a socket what package net gives all of its own.
func setTCP(fd int) error {
	const seconds = int(keepAliveTime / time.Second)
	for _, o := range [...]struct {
		option option
		value  int
	}{{optNoDelay, 1}, {optKeepAlive, 1}, {optKeepIdle, seconds}, {optKeepInterval, seconds}, {optKeepCount, keepAliveProbes}} {
		if err := sysSet(fd, o.option, o.value); err != nil {
			return err
		}
	}
	return nil
}

// sysConnect makes a socket and starts to connect it. done is false if the
// socket becomes writable when the attempt has ended, and sysConnected tells how.
func sysConnect(network string, to endpoint) (fd int, done bool, err error) {
	fd, sa, err := to.socket(network)
	if err != nil {
		return -1, false, err
	}
	if !to.isUnix() {
		err = setTCP(fd)
	}
	if err == nil {
		err = syscall.Connect(fd, sa)
		done = err == nil || err == unix.EISCONN
		if err == unix.EINPROGRESS || err == unix.EALREADY || err == unix.EINTR || done {
			err = nil
		}
		err = os.NewSyscallError("connect", err)
	}
	if err != nil {
		unix.Close(fd)
		return -1, false, err
	}
	return fd, done, nil
}

// sysConnected says how the attempt to connect ended, or that it has not.
func sysConnected(fd int) (done bool, err error) {
	v, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil {
		return true, os.NewSyscallError("getsockopt", err)
	}
	switch errno := syscall.Errno(v); errno {
	case 0, unix.EISCONN:
		_, err := unix.Getpeername(fd)
		return err == nil, nil
	case unix.EINPROGRESS, unix.EALREADY, unix.EINTR:
		return false, nil
	default:
		return true, os.NewSyscallError("connect", errno)
	}
}

// sysNames returns the addresses that a socket has on this side and on the
// other one; if the system does not tell the latter, it is other.
func sysNames(fd int, other endpoint) (local, remote endpoint) {
	if sa, err := syscall.Getsockname(fd); err == nil {
		local = fromSockaddr(sa)
	} else {
		local.local = other.local
	}
	if sa, err := syscall.Getpeername(fd); err == nil {
		return local, fromSockaddr(sa)
	}
	return local, other
}

func sysSetLinger(fd, seconds int) error {
	l := unix.Linger{Onoff: 1, Linger: int32(seconds)}
	if seconds < 0 {
		l = unix.Linger{}
	}
	return os.NewSyscallError("setsockopt", unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &l))
}
