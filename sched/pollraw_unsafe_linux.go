//go:build !race && !msan && !asan

package sched

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// rawMost is the longest transfer that is made without telling the runtime.
// Copying that much takes some ten microseconds; a collection that wants to
// stop the world waits for no longer.
const rawMost = 64 << 10

const (
	pollerKind = "epoll, raw"
	pollerWhy  = "system calls that never sleep are made without telling the scheduler"
)

// sysRead, sysWrite, peek and yield are system calls that never sleep: the sockets are
// non-blocking, the timeout is zero. So the scheduler need not be told, which
// would cost as much as the work around the call. And recvfrom and sendto find
// a socket by a shorter way than read and write do.

// sysRead reads from a socket into p, which is not empty. SAFETY(N1): p stays alive and in place during the
// call.
func sysRead(fd int, p []byte) (int, syscall.Errno) {
	if len(p) > rawMost {
		n, _, errno := syscall.Syscall6(unix.SYS_RECVFROM, uintptr(fd),
			uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)), unix.MSG_DONTWAIT, 0, 0)
		return int(n), errno
	}
	n, _, errno := syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd),
		uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)), unix.MSG_DONTWAIT, 0, 0)
	return int(n), errno
}

// sysWrite writes p, which is not empty, to a socket. SAFETY(N1): as sysRead.
func sysWrite(fd int, p []byte) (int, syscall.Errno) {
	if len(p) > rawMost {
		n, _, errno := syscall.Syscall6(unix.SYS_SENDTO, uintptr(fd),
			uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
		return int(n), errno
	}
	n, _, errno := syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(fd),
		uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
	return int(n), errno
}

// peek takes the events that are there already. SAFETY(N1): events stay alive
// and in place during the call.
func (p *poller) peek(events []pollEvent) int {
	n, _, errno := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(p.epoll),
		uintptr(unsafe.Pointer(&events[0])), uintptr(len(events)), 0, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(n)
}

// yield lets other threads have the core, if any waits for it.
func (*poller) yield() { syscall.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0) }
