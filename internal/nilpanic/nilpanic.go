// Package nilpanic tells a panic with nil from runtime.Goexit. With
// GODEBUG=panicnil=1 recover returns nil for both.
package nilpanic

import "runtime"

// Value is called by a deferred function for which recover has returned nil. It
// returns a *runtime.PanicNilError, which recover returns without that setting, if
// the function was called by a panic. Otherwise, after runtime.Goexit or an ordinary
// return, it returns nil.
//
//go:noinline
func Value() any {
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
