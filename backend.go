package stackhop

import (
	"os"
	"runtime"
	"sync"
)

// Names of the backends, as in Info.Name.
const (
	asmName      = "asm"
	portableName = "portable"
)

// Info says which backend serves this process, and why.
type Info struct {
	Name   string // "asm" or "portable"
	Reason string // why this one

	GoVersion string // runtime.Version
	GOOS      string
	GOARCH    string

	// Facts are the functions and flags of the runtime that the asm backend
	// found, empty with the portable one.
	Facts []Fact
}

// A Fact is one address that the asm backend found in the running binary.
type Fact struct {
	Name string  // the runtime's name for it
	Addr uintptr // where it is
	How  string  // how it was found and checked
}

// Backend decides on the backend, once, and says which it is. Nothing is
// decided at import. The environment variable STACKHOP_BACKEND=portable, read
// at that moment, forces the portable one. Safe for concurrent use.
func Backend() Info {
	b := backend()
	return Info{
		Name: b.name, Reason: b.reason,
		GoVersion: runtime.Version(), GOOS: runtime.GOOS, GOARCH: runtime.GOARCH,
		Facts: append([]Fact(nil), b.facts...),
	}
}

type decision struct {
	name, reason string
	facts        []Fact
}

var backend = sync.OnceValue(func() decision {
	d := decision{name: portableName, reason: "STACKHOP_BACKEND=portable is set"}
	if os.Getenv("STACKHOP_BACKEND") != portableName {
		d = decide()
	}
	portably = d.name == portableName
	return d
})

// portably: the portable backend serves. Written once, before the first coroutine is
// made.
var portably bool
