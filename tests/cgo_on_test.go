//go:build cgo

package tests

// cgoProgram: the test binary has cgo, since net has.
const cgoProgram = true
