package ctx_test

import "unsafe"

const dirtyName = "dirty"

var dirtyText = [...]byte{'d', 'i', 'r', 't', 'y', 0}

func nameOfDirty() uintptr { return uintptr(unsafe.Pointer(&dirtyText)) }
