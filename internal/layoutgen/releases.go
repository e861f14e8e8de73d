package main

import "strings"

// A release is one minor Go release that the kernel knows, and the toolchain
// whose DWARF stands for it.
type release struct {
	Minor     int
	Toolchain string
}

// releases, in ascending order. A new one is added here, in the build tags of
// the kernel's files and in the tests' matrix; then go generate.
var releases = []release{
	{25, "go1.25.3"},
	{26, "go1.26.8"},
	{27, "go1.27.4"},
}

// Name is the release without its patch level, Go 1.26.
func (r release) Name() string {
	v := strings.TrimPrefix(r.Toolchain, "go")
	if i := strings.LastIndexByte(v, '.'); strings.Count(v, ".") == 2 {
		v = v[:i]
	}
	return "Go " + v
}
