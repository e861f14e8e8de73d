package mmapstack

import (
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// noBatches is set when the kernel has refused advice for many ranges at once.
var noBatches atomic.Bool

// adviseAll gives the same advice for all parts in one system call (Linux 6.14),
// and reports whether that was done. Otherwise any number of them may have had it.
func adviseAll(parts [][]byte, advice int) bool {
	const (
		self = -10000 // PIDFD_SELF (linux/pidfd.h)
		most = 64
	)
	for len(parts) > 0 {
		if noBatches.Load() {
			return false
		}
		var vec [most]unix.Iovec
		n := min(most, len(parts))
		want := 0
		for i, part := range parts[:n] {
			vec[i].Base = unsafe.SliceData(part)
			vec[i].SetLen(len(part))
			want += len(part)
		}
		pid := self // a variable, so that it converts
		// SAFETY(M3): the kernel reads n elements of vec, and gives advice for
		// memory that is mapped until the caller unmaps it.
		done, _, errno := unix.Syscall6(unix.SYS_PROCESS_MADVISE, uintptr(pid), uintptr(unsafe.Pointer(&vec)), uintptr(n), uintptr(advice), 0, 0)
		if errno != 0 || int(done) != want {
			if errno == unix.ENOSYS || errno == unix.EBADF || errno == unix.EPERM || errno == unix.EINVAL {
				noBatches.Store(true)
			}
			return false
		}
		parts = parts[n:]
	}
	return true
}
