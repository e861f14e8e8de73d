//go:build amd64 || arm64

package tests

func sinkStack(bytes uintptr)
