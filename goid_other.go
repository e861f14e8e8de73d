//go:build !amd64 && !arm64 && !riscv64

package stackhop

import (
	"bytes"
	"runtime"
	"strconv"
)

// goroutineID identifies the calling goroutine while it lives. The first line
// of a stack trace is the only place where Go tells it.
func goroutineID() uintptr {
	var buf [64]byte
	line := bytes.TrimPrefix(buf[:runtime.Stack(buf[:], false)], []byte("goroutine "))
	if i := bytes.IndexByte(line, ' '); i > 0 {
		if id, err := strconv.ParseUint(string(line[:i]), 10, 64); err == nil {
			return uintptr(id)
		}
	}
	panic("BUG: stackhop: cannot read the goroutine number from runtime.Stack")
}
