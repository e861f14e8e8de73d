//go:build !race

package resume

import (
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

// storeLoadBarrier returns after every other thread of the process has had a
// full memory barrier: of a store and a later load there, either both are
// done, or the load is still to come (membarrier(2), Linux 4.14). Where the system
// call is refused, stopping the world does the same: every thread that runs Go
// code passes a barrier when it stops and when it goes on.
func storeLoadBarrier() {
	if !haveMembarrier() || membarrier(privateExpedited) != 0 {
		stopTheWorld()
	}
}

// stopTheWorld stops it, and lets it go on (runtime.ReadMemStats, mstats.go, Go
// 1.25 to 1.27). What it needs is not in its caller's frame: that one may be on a
// small stack.
//
//go:noinline
func stopTheWorld() { runtime.ReadMemStats(new(runtime.MemStats)) }

// Commands of membarrier(2), from linux/membarrier.h.
const (
	privateExpedited         = 1 << 3
	registerPrivateExpedited = 1 << 4
)

// haveMembarrier announces the process to the kernel, once.
var haveMembarrier = sync.OnceValue(func() bool {
	return membarrier(registerPrivateExpedited) == 0
})

func membarrier(cmd uintptr) unix.Errno {
	_, _, errno := unix.Syscall(unix.SYS_MEMBARRIER, cmd, 0, 0)
	return errno
}
