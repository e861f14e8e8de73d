package stackhop

import "unsafe"

// funcval is f's pointer to its code pointer. SAFETY(K2): that is what a func is.
func funcval(f func()) *uintptr { return *(**uintptr)(unsafe.Pointer(&f)) }
