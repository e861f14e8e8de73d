package tests

import (
	"unsafe"

	"github.com/stackhop/stackhop"
)

// words returns the memory of r that a body may use.
//
// SAFETY(I2): the caller has the stack, on which nothing runs, and keeps it.
//
//go:nocheckptr
func words(r stackhop.Region) []uint64 {
	lo := r.Lo
	return unsafe.Slice(*(**uint64)(unsafe.Pointer(&lo)), (r.Top-r.Lo)/8)
}
