package mmapstack

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// faults reports whether the first byte of mem cannot be read.
func faults(mem []byte) bool {
	_, bad := firstUnreadable(addrOf(mem), 1)
	return bad
}

// firstUnreadable returns the address of the first page of [addr, addr+n) that
// cannot be read. It asks the kernel to copy one byte of each page, which needs
// no file descriptor and faults nowhere.
//
// process_vm_readv takes the addresses in an array, so that a debugger that
// checks the arguments of system calls (valgrind's memcheck) does not read what
// they point to. Where it is not to be had (seccomp, an emulator), rt_sigprocmask
// copies a signal set from the page and then refuses to do anything with it.
func firstUnreadable(addr, n uintptr) (page uintptr, bad bool) {
	const batch = 64
	size := uintptr(os.Getpagesize())
	var bytes [batch]byte
	local := []unix.Iovec{{Base: &bytes[0]}}
	for at, end := alignDown(addr, size), addr+n; at < end; {
		var pages [batch]unix.RemoteIovec
		k := 0
		for p := at; p < end && k < batch; p += size {
			pages[k] = unix.RemoteIovec{Base: max(p, addr), Len: 1}
			k++
		}
		local[0].SetLen(k)
		done, err := unix.ProcessVMReadv(os.Getpid(), local, pages[:k], 0)
		switch {
		case done == k:
		case done > 0:
			return alignDown(pages[done].Base, size), true
		case err == unix.EFAULT:
			return at, true
		default:
			return firstUnreadableByMask(at, end, size)
		}
		at += uintptr(k) * size
	}
	return 0, false
}

func firstUnreadableByMask(at, end, size uintptr) (page uintptr, bad bool) {
	const noSuchHow, setSize = ^uintptr(0), 8
	for ; at < end; at += size {
		// SAFETY(M3): the kernel copies eight bytes from the page, or returns EFAULT.
		_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, noSuchHow, at, 0, setSize, 0, 0)
		if errno == unix.EFAULT {
			return at, true
		}
	}
	return 0, false
}

// firstUnwritable returns the address of the first page of [addr, addr+n) that
// cannot be written. It has the kernel add 0 to the first word of each page, and
// so makes all of them resident: see writable for the way that does not.
func firstUnwritable(addr, n uintptr) (page uintptr, bad bool) {
	const (
		wakeOp = 5 | 128 // FUTEX_WAKE_OP, FUTEX_PRIVATE_FLAG (linux/futex.h)
		add0   = 1 << 28 // FUTEX_OP(FUTEX_OP_ADD, 0, FUTEX_OP_CMP_EQ, 0)
	)
	size := uintptr(os.Getpagesize())
	for at := alignDown(addr, size); at < addr+n; at += size {
		word := alignUp(max(at, addr), unsafe.Sizeof(uint32(0)))
		// SAFETY(M3): the kernel adds 0 to the word by an atomic operation, or returns
		// EFAULT; nobody waits there.
		_, _, errno := unix.RawSyscall6(unix.SYS_FUTEX, word, wakeOp, 0, 0, word, add0)
		if errno == unix.EFAULT {
			return at, true
		}
	}
	return 0, false
}
