//go:build !linux

package main

import "runtime"

func kernelRelease() string { return runtime.GOOS }

func maxMapCount() string { return "no such limit on " + runtime.GOOS }

func residentBytes() (int64, bool) { return 0, false }

func pageTableBytes() (int64, bool) { return 0, false }
