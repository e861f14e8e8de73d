//go:build linux

package mmapstack

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// faults reports whether the kernel finds the first byte of mem unreadable. It
// lets the kernel take it for a path name, which is empty where readable.
func faults(mem []byte) bool {
	cwd := unix.AT_FDCWD // a variable, so that it converts
	// SAFETY(M3): the kernel reads the memory, or answers EFAULT; mem is mapped
	// until the caller unmaps it.
	_, _, errno := unix.Syscall(unix.SYS_FACCESSAT, uintptr(cwd), uintptr(unsafe.Pointer(unsafe.SliceData(mem))), 0)
	return errno == unix.EFAULT
}
