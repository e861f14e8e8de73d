package mmapstack

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// untouched returns how many of the lowest bytes of mem no page of memory backs:
// they read as zero, and nobody makes a page of them by reading. A page that is
// swapped out counts as such, too.
func untouched(mem []byte) int {
	page := uintptr(os.Getpagesize())
	base := addrOf(mem)
	var vec [256]byte
	for at := alignDown(base, page); at < base+uintptr(len(mem)); at += page * uintptr(len(vec)) {
		n := min(uintptr(len(vec)), (base+uintptr(len(mem))-at+page-1)/page)
		// SAFETY(M3): the kernel looks at its own tables for at, and writes one
		// byte per page into vec, which is as long.
		_, _, errno := unix.Syscall(unix.SYS_MINCORE, at, n*page, uintptr(unsafe.Pointer(&vec)))
		for i, v := range vec[:n] {
			if errno != 0 || v&1 != 0 {
				return max(0, int(at-base)+i*int(page))
			}
		}
	}
	return len(mem)
}
