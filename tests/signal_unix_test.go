//go:build unix

package tests

import "syscall"

const hangup = syscall.SIGHUP
