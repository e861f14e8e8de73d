//go:build race || msan || asan

package sched

import (
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	pollerKind = "epoll, checked"
	pollerWhy  = "a build with a sanitizer or the race detector makes every system call through package unix"
)

// The same calls as in other builds, by way of functions that tell the
// sanitizer which memory is read and written, and what happens before what.

func sysRead(fd int, p []byte) (int, syscall.Errno)  { return told(unix.Read(fd, p)) }
func sysWrite(fd int, p []byte) (int, syscall.Errno) { return told(unix.Write(fd, p)) }

func (p *poller) peek(events []pollEvent) int { return p.block(events, 0) }

func (*poller) yield() { runtime.Gosched() }

func told(n int, err error) (int, syscall.Errno) {
	if err != nil {
		return n, err.(syscall.Errno)
	}
	return n, 0
}
