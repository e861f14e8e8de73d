package tests

import "unsafe"

// addressOf tells where a local variable lies.
//
// SAFETY(I1): the address is only compared, never made a pointer again.
func addressOf(local *[32]byte) uintptr { return uintptr(unsafe.Pointer(local)) }
