package mmapstack

import "unsafe"

// ptrOf returns where b begins.
func ptrOf(b []byte) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(b)) }
