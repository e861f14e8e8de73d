package mmapstack

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"

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

// probeGuard tries MADV_GUARD_INSTALL on a page. It looks whether the page is
// closed afterwards: QEMU's user mode accepts advice that it does not know.
func probeGuard() (guardKind, string) {
	page, err := mapMemory(os.Getpagesize(), true)
	if err != nil {
		return guardMprotect, fmt.Sprintf("no page to try MADV_GUARD_INSTALL on: %v", err)
	}
	defer func() { _ = unmapMemory(page) }()
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

func mapLimitRemedy() string {
	return fmt.Sprintf("vm.max_map_count is %d, half of it is for guards, and a stack takes two; raise it, or use Linux 6.13 or newer", mapLimit())
}
