package mmapstack

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// mapMemory reserves n bytes that cost nothing until touched. Without access,
// they are the stack gaps until a part is opened.
func mapMemory(n int, access bool) ([]byte, error) {
	prot := unix.PROT_NONE
	if access {
		prot = unix.PROT_READ | unix.PROT_WRITE
	}
	mem, err := unix.Mmap(-1, 0, n, prot, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_STACK|unix.MAP_NORESERVE)
	if err != nil {
		return nil, err
	}
	// MAP_STACK says it by itself since Linux 6.7. A kernel without huge pages
	// refuses, which is as good.
	_ = unix.Madvise(mem, unix.MADV_NOHUGEPAGE)
	return mem, nil
}

func unmapMemory(mem []byte) error  { return unix.Munmap(mem) }
func installGuard(mem []byte) error { return unix.Madvise(mem, unix.MADV_GUARD_INSTALL) }
func protectNone(mem []byte) error  { return unix.Mprotect(mem, unix.PROT_NONE) }
func protectRW(mem []byte) error    { return unix.Mprotect(mem, unix.PROT_READ|unix.PROT_WRITE) }

// discard drops the pages of mem at once; they read as zero afterwards. It
// fails for locked memory, which then simply stays.
func discard(mem []byte) { _ = unix.Madvise(mem, unix.MADV_DONTNEED) }

// discardAll is discard of many parts.
func discardAll(parts [][]byte) {
	if !adviseAll(parts, unix.MADV_DONTNEED) {
		for _, part := range parts {
			discard(part)
		}
	}
}

// installGuards is installGuard of many parts, at once or not at all, as far as
// the caller can tell.
func installGuards(parts [][]byte) bool { return adviseAll(parts, unix.MADV_GUARD_INSTALL) }

// populate makes the pages of all parts resident, and reports whether it did. A
// first write to each would do the same by a fault, which costs several times as much.
func populate(parts [][]byte) bool { return adviseAll(parts, unix.MADV_POPULATE_WRITE) }

// machineMemory returns the bytes of memory that the machine has, 0 if unknown.
func machineMemory() uint64 {
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) != nil {
		return 0
	}
	return uint64(info.Totalram) * uint64(info.Unit)
}

// probeGuard tries MADV_GUARD_INSTALL on a page. It looks whether the page is
// closed afterwards: QEMU's user mode accepts advice that it does not know.
func probeGuard() (guardKind, string) {
	page, err := mapMemory(os.Getpagesize(), true)
	if err != nil {
		return guardMprotect, fmt.Sprintf("no page to try MADV_GUARD_INSTALL on: %v", err)
	}
	defer func() { _ = unmapMemory(page) }()
	_ = unix.Munlock(page) // after mlockall it is locked, which takes no guard: see putGuard
	if err := installGuard(page); err != nil {
		return guardMprotect, fmt.Sprintf("the kernel refuses MADV_GUARD_INSTALL (%v), which came with Linux 6.13", err)
	}
	if !faults(page) {
		return guardMprotect, "the kernel takes MADV_GUARD_INSTALL but does not guard (an emulator?)"
	}
	return guardMadvise, "the kernel has it: guards cost no mapping"
}

// mapLimit returns vm.max_map_count.
var mapLimit = sync.OnceValue(func() int {
	const usual = 65530
	text, err := os.ReadFile("/proc/sys/vm/max_map_count")
	if err != nil {
		return usual
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || n <= 0 {
		return usual
	}
	return n
})

// mapLimitRemedy is for guards by mprotect; locked: because the memory is locked.
func mapLimitRemedy(locked bool) string {
	if locked {
		return fmt.Sprintf("the memory is locked (mlockall with MCL_FUTURE), and the kernel takes no MADV_GUARD_INSTALL there; "+
			"by mprotect a stack takes two mappings, and half of vm.max_map_count, %d, is for guards; raise that, or do without MCL_FUTURE", mapLimit())
	}
	return fmt.Sprintf("vm.max_map_count is %d, half of it is for guards, and a stack takes two; raise it, or use Linux 6.13 or newer", mapLimit())
}

// mmapRemedy says what to do if mmap fails, with the limits of this process.
func mmapRemedy(errno syscall.Errno) string {
	switch errno {
	case unix.EAGAIN:
		return fmt.Sprintf("all new memory is locked (mlockall with MCL_FUTURE) and RLIMIT_MEMLOCK (ulimit -l) is %s; "+
			"raise it, give the process CAP_IPC_LOCK, or do without MCL_FUTURE", rlimitText(unix.RLIMIT_MEMLOCK))
	case unix.ENOMEM:
		return fmt.Sprintf("use fewer or smaller stacks, or raise what is exhausted: RLIMIT_AS (ulimit -v) is %s, RLIMIT_DATA (ulimit -d) %s, "+
			"vm.max_map_count %d; or the commit limit (vm.overcommit_memory)", rlimitText(unix.RLIMIT_AS), rlimitText(unix.RLIMIT_DATA), mapLimit())
	}
	return ""
}

func rlimitText(which int) string {
	var l unix.Rlimit
	switch err := unix.Getrlimit(which, &l); {
	case err != nil:
		return "unknown"
	case l.Cur == unix.RLIM_INFINITY:
		return "unlimited"
	}
	return fmt.Sprintf("%d bytes", l.Cur)
}
