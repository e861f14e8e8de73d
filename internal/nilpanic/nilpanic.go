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

// Value is called by a deferred function for which recover has returned nil. It
// returns a *runtime.PanicNilError, which recover returns without that setting, if
// the function was called by a panic. Otherwise, after runtime.Goexit or an ordinary
// return, it returns nil.
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

// Prepare does once what Value needs more stack for than the rest. A task that
// unwinds may have little left.
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
