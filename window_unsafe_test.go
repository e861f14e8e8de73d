package stackhop

import "unsafe"

// addressOf is where b lies. SAFETY(K3): b is mapped, not Go memory.
func addressOf(b []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(b))) }
