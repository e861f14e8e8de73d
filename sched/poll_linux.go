package sched

import (
	"encoding/binary"
	"os"
	"syscall"

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

func sysSetNoDelay(fd int, on bool) error {
	v := 0
	if on {
		v = 1
	}
	return os.NewSyscallError("setsockopt", unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, v))
}

// sysAccept takes a connection off the queue of a listener.
func sysAccept(fd int) (int, endpoint, syscall.Errno) {
	nfd, sa, err := unix.Accept4(fd, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
	if err != nil {
		return -1, endpoint{}, err.(syscall.Errno)
	}
	return nfd, fromSockaddr(sa), 0
}

// sysListen makes a listening socket. What it sets for TCP, the accepted
// sockets inherit.
func sysListen(at endpoint, reusePort bool) (fd int, err error) {
	fd, sa, err := at.socket()
	if err != nil {
		return -1, err
	}
	defer func() {
		if err != nil {
			unix.Close(fd)
		}
	}()
	if !at.isUnix() {
		if err := setTCP(fd); err != nil {
			return -1, err
		}
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
			return -1, os.NewSyscallError("setsockopt", err)
		}
		if reusePort {
			if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
				return -1, os.NewSyscallError("setsockopt", err)
			}
		}
	}
	if err := unix.Bind(fd, sa); err != nil {
		return -1, os.NewSyscallError("bind", err)
	}
	const backlog = 1<<16 - 1 // the kernel takes net.core.somaxconn, if that is less
	if err := unix.Listen(fd, backlog); err != nil {
		return -1, os.NewSyscallError("listen", err)
	}
	return fd, nil
}

// keepAliveSeconds and keepAliveProbes are package net's defaults.
const (
	keepAliveSeconds = 15
	keepAliveProbes  = 9
)

// setTCP gives a socket what package net gives all of its own.
func setTCP(fd int) error {
	for _, o := range [...]struct{ level, name, value int }{
		{unix.IPPROTO_TCP, unix.TCP_NODELAY, 1},
		{unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1},
		{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, keepAliveSeconds},
		{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, keepAliveSeconds},
		{unix.IPPROTO_TCP, unix.TCP_KEEPCNT, keepAliveProbes},
	} {
		if err := unix.SetsockoptInt(fd, o.level, o.name, o.value); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	}
	return nil
}

// sysConnect makes a socket and starts to connect it. done is false if the
// socket gets writable when the attempt has ended, and sysConnected tells how.
func sysConnect(to endpoint) (fd int, done bool, err error) {
	fd, sa, err := to.socket()
	if err != nil {
		return -1, false, err
	}
	if !to.isUnix() {
		err = setTCP(fd)
	}
	if err == nil {
		err = unix.Connect(fd, sa)
		done = err == nil
		if err == unix.EINPROGRESS || err == unix.EINTR {
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

// sysLocal returns the address that a socket has on this side.
func sysLocal(fd int) endpoint {
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return endpoint{}
	}
	return fromSockaddr(sa)
}
