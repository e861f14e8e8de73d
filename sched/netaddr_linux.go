package sched

import (
	"net/netip"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// socket makes a non-blocking socket for the address, and the form of the
// address that the system wants.
func (e endpoint) socket() (int, unix.Sockaddr, error) {
	if e.isUnix() {
		fd, err := newSocket(unix.AF_UNIX)
		return fd, &unix.SockaddrUnix{Name: e.path}, err
	}
	ip, port := e.ip.Addr(), int(e.ip.Port())
	switch {
	case !ip.IsValid(): // all addresses of both families
		fd, err := newSocket(unix.AF_INET6)
		if err == nil {
			err = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 0)
			if err == nil {
				return fd, &unix.SockaddrInet6{Port: port}, nil
			}
			unix.Close(fd)
		}
		fd, err = newSocket(unix.AF_INET) // the system has no IPv6
		return fd, &unix.SockaddrInet4{Port: port}, err
	case ip.Unmap().Is4():
		fd, err := newSocket(unix.AF_INET)
		return fd, &unix.SockaddrInet4{Port: port, Addr: ip.Unmap().As4()}, err
	}
	fd, err := newSocket(unix.AF_INET6)
	if err == nil {
		if err = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1); err != nil {
			unix.Close(fd)
			err = os.NewSyscallError("setsockopt", err)
		}
	}
	return fd, &unix.SockaddrInet6{Port: port, Addr: ip.As16(), ZoneId: zoneID(ip.Zone())}, err
}

func newSocket(family int) (int, error) {
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	return fd, os.NewSyscallError("socket", err)
}

func fromSockaddr(sa unix.Sockaddr) endpoint {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return endpoint{ip: netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))}
	case *unix.SockaddrInet6:
		ip := netip.AddrFrom16(sa.Addr).Unmap()
		if sa.ZoneId != 0 {
			ip = ip.WithZone(strconv.Itoa(int(sa.ZoneId)))
		}
		return endpoint{ip: netip.AddrPortFrom(ip, uint16(sa.Port))}
	case *unix.SockaddrUnix:
		return endpoint{path: sa.Name, local: true}
	}
	return endpoint{}
}

// retryErrno sorts the errors that are none: there is nothing now; the call was
// interrupted.
func retryErrno(errno syscall.Errno) (again, restart bool) {
	return errno == unix.EAGAIN, errno == unix.EINTR
}
