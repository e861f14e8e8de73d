//go:build linux

package mmapstack

import (
	"os"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// resident counts the pages of mem that are in memory.
func resident(t *testing.T, mem []byte) (n int) {
	vec := make([]byte, len(mem)/os.Getpagesize())
	// SAFETY(M3): the kernel writes one byte per page into vec, which is as long.
	_, _, errno := unix.Syscall(unix.SYS_MINCORE, uintptr(unsafe.Pointer(&mem[0])), uintptr(len(mem)), uintptr(unsafe.Pointer(&vec[0])))
	require.Zero(t, errno)
	for _, v := range vec {
		n += int(v & 1)
	}
	return n
}
