//go:build !cgo

package tests

const cgoProgram = false
