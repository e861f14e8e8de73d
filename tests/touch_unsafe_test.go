package tests

import "unsafe"

// touch writes to addr, which faults.
//
// SAFETY(I2): nothing is there; the process ends, or the write becomes a panic.
//
//go:nocheckptr
//go:noinline
func touch(addr uintptr) { **(**byte)(unsafe.Pointer(&addr)) = 1 }
