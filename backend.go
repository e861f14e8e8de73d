package stackhop

import (
	"fmt"
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
	Name   string `json:"name"`   // "asm" or "portable"
	Reason string `json:"reason"` // why this one

	// Unknown is the value of STACKHOP_BACKEND if it names no backend; otherwise it is
	// empty. Such a value is ignored.
	Unknown string `json:"unknown"`

	GoVersion string `json:"go_version"` // runtime.Version
	GOOS      string `json:"goos"`
	GOARCH    string `json:"goarch"`

	// Facts are the functions and flags of the runtime that the asm backend
	// found, empty with the portable one.
	Facts []Fact `json:"facts"`
}

// A Fact is one address that the asm backend found in the running binary.
type Fact struct {
	Name string  `json:"name"` // the runtime's name for it
	Addr uintptr `json:"addr"` // where it is
	How  string  `json:"how"`  // how it was found and checked
}

// Backend decides on the backend, once, and says which it is. Nothing is
// decided at import. The environment variable STACKHOP_BACKEND, read at that moment,
// may be "portable", which forces that one, or "asm", which is as if it were not set.
// Any other value is ignored; Reason and Unknown tell. Safe for concurrent use.
func Backend() Info {
	b := backend()
	return Info{
		Name: b.name, Reason: b.reason, Unknown: b.unknown,
		GoVersion: runtime.Version(), GOOS: runtime.GOOS, GOARCH: runtime.GOARCH,
		Facts: append([]Fact(nil), b.facts...),
	}
}

// Mapped returns nil if coroutines can be made on a Region in this program, otherwise an
// *UnmappedError, as New does then: a program built with GOEXPERIMENT=cgocheck2 may
// have no pointers in memory that the Go runtime does not own. The portable backend
// accepts every Region, and uses none. Safe for concurrent use.
func Mapped() error {
	_ = backend()
	if unmapped != nil {
		return unmapped
	}
	return nil
}

type decision struct {
	name, reason string
	unknown      string
	facts        []Fact
	unmapped     *UnmappedError // why no region can be used, if so
}

var backend = sync.OnceValue(func() decision {
	d := chosen(os.Getenv("STACKHOP_BACKEND"))
	portably, unmapped = d.name == portableName, d.unmapped
	return d
})

// chosen decides on the backend, given what STACKHOP_BACKEND says.
func chosen(env string) decision {
	if env == portableName {
		return decision{name: portableName, reason: "STACKHOP_BACKEND=portable is set"}
	}
	d := decide()
	if env != "" && env != asmName {
		d.unknown = env
		d.reason = fmt.Sprintf("STACKHOP_BACKEND=%q is ignored, it may be asm or portable: %s", env, d.reason)
	}
	return d
}

// Written once, before the first coroutine is made.
var (
	portably bool           // the portable backend serves
	unmapped *UnmappedError // why no region can be used, if so
)
