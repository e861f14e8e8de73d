//go:build darwin || freebsd

package mmapstack

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// mapMemory reserves n bytes. There is no MAP_STACK: FreeBSD's means memory
// that grows by faults.
func mapMemory(n int, access bool) ([]byte, error) {
	prot := unix.PROT_NONE
	if access {
		prot = unix.PROT_READ | unix.PROT_WRITE
	}
	return unix.Mmap(-1, 0, n, prot, unix.MAP_PRIVATE|unix.MAP_ANON)
}

func unmapMemory(mem []byte) error { return unix.Munmap(mem) }
func installGuard([]byte) error    { return ErrUnsupported }
func protectNone(mem []byte) error { return unix.Mprotect(mem, unix.PROT_NONE) }
func protectRW(mem []byte) error   { return unix.Mprotect(mem, unix.PROT_READ|unix.PROT_WRITE) }
func discard(mem []byte)           { _ = unix.Madvise(mem, unix.MADV_FREE) }

func discardAll(parts [][]byte) {
	for _, part := range parts {
		discard(part)
	}
}

func installGuards([][]byte) bool { return false }
func populate([][]byte) bool      { return false }
func machineMemory() uint64       { return 0 }

func probeGuard() (guardKind, string) { return guardMprotect, "MADV_GUARD_INSTALL is Linux only" }

// mapLimit: these systems set no limit that one could read.
func mapLimit() int              { return 1 << 30 }
func mapLimitRemedy(bool) string { return "" }

func mmapRemedy(errno syscall.Errno) string {
	if errno == unix.ENOMEM {
		return "use fewer or smaller stacks, or raise RLIMIT_AS (ulimit -v) or RLIMIT_DATA (ulimit -d)"
	}
	return ""
}
