package sched

import (
	"net"
	"net/netip"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// socket makes a non-blocking socket that can connect to the address, and
// returns it with the form of the address that the system takes. The families
// are those that package net chooses.
func (e endpoint) socket(network string) (int, syscall.Sockaddr, error) {
	if e.isUnix() {
		fd, err := newSocket(unix.AF_UNIX)
		return fd, &syscall.SockaddrUnix{Name: e.path}, err
	}
	ip, port := e.ip.Addr(), int(e.ip.Port())
	if network == "tcp4" || network == "tcp" && (!ip.IsValid() || ip.Unmap().Is4()) {
		sa := &syscall.SockaddrInet4{Port: port}
		if ip.IsValid() {
			sa.Addr = ip.Unmap().As4()
		}
		fd, err := newSocket(unix.AF_INET)
		return fd, sa, err
	}
	sa := &syscall.SockaddrInet6{Port: port}
	if ip.IsValid() {
		sa.Addr, sa.ZoneId = ip.As16(), zoneID(ip.Zone())
	}
	only := 0
	if network == "tcp6" {
		only = 1
	}
	fd, err := newSocket(unix.AF_INET6)
	if err == nil {
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, only) // package net ignores the error too
	}
	return fd, sa, err
}

func newSocket(family int) (int, error) {
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	return fd, os.NewSyscallError("socket", err)
}

// zoneID turns an IPv6 zone, a number or the name of an interface, into the
// number. It is 0 if there is no such zone.
func zoneID(zone string) uint32 {
	if zone == "" {
		return 0
	}
	if i, err := net.InterfaceByName(zone); err == nil {
		return uint32(i.Index)
	}
	n, _ := strconv.ParseUint(zone, 10, 32)
	return uint32(n)
}

// zoneName is the inverse of zoneID.
func zoneName(id uint32) string {
	if i, err := net.InterfaceByIndex(int(id)); err == nil {
		return i.Name
	}
	return strconv.FormatUint(uint64(id), 10)
}

func fromSockaddr(sa syscall.Sockaddr) endpoint {
	switch sa := sa.(type) {
	case *syscall.SockaddrInet4:
		return endpoint{ip: netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))}
	case *syscall.SockaddrInet6:
		ip := netip.AddrFrom16(sa.Addr)
		if sa.ZoneId != 0 {
			ip = ip.WithZone(zoneName(sa.ZoneId))
		}
		return endpoint{ip: netip.AddrPortFrom(ip, uint16(sa.Port))}
	case *syscall.SockaddrUnix:
		return endpoint{path: sa.Name, local: true}
	}
	return endpoint{}
}

// retryErrno reports two errors that are not failures: the socket has nothing
// now (again), and the call was interrupted (restart).
func retryErrno(errno syscall.Errno) (again, restart bool) {
	return errno == unix.EAGAIN, errno == unix.EINTR
}
