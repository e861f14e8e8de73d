// Package nilpanic tells a panic with nil from runtime.Goexit. With
// GODEBUG=panicnil=1 recover returns nil for both.
package nilpanic

import (
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
)

// A deferred function calls Value after recover has returned nil. If a panic with nil
// called the deferred function, Value returns a *runtime.PanicNilError, as recover does
// without that setting. After runtime.Goexit or an ordinary return it returns nil.
//
// A look at the stack costs as much as the rest of an unwinding, so it is taken only
// where the setting may be on.
//
//go:noinline
func Value() any {
	if !strings.Contains(os.Getenv("GODEBUG"), setting) && !builtIn() {
		return nil
	}
	const skip = 3 // Callers, Value, the deferred function
	var pcs [1]uintptr
	if runtime.Callers(skip, pcs[:]) == 0 {
		return nil
	}
	if f := runtime.FuncForPC(pcs[0] - 1); f == nil || f.Name() != "runtime.gopanic" {
		return nil
	}
	return new(runtime.PanicNilError)
}

// Prepare does once the part of Value that needs the most stack: a task that unwinds
// may have little stack left.
func Prepare() {
	_, _ = os.LookupEnv("GODEBUG")
	builtIn()
}

const setting = "panicnil=1"

// builtIn reports whether the program has the setting by a //go:debug line or its
// go.mod.
var builtIn = sync.OnceValue(func() bool {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return true // not known
	}
	for _, s := range info.Settings {
		if s.Key == "DefaultGODEBUG" && strings.Contains(s.Value, setting) {
			return true
		}
	}
	return false
})
