//go:build unix

package tests

import "syscall"

// winch does nothing to a process that does not ask for it: one that arrives
// after the test must not end it.
const winch = syscall.SIGWINCH
