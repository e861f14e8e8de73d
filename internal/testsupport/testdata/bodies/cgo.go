//go:build cgo

package main

// static int twice(int n) { return 2 * n; }
import "C"

func foreign() int { return int(C.twice(21)) }

// Exported is what a C shared library offers.
//
//export Exported
func Exported(n C.int) C.int { return n + C.int(take(1, seven)) }
