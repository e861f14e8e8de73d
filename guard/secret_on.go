//go:build goexperiment.runtimesecret

package guard

import "runtime/secret"

// secretMode reports whether the caller is in runtime/secret.Do, and inSecret
// calls fn in it: an auxiliary stack has a goroutine of its own, and that
// does not inherit the caller's mode.
func secretMode() bool   { return secret.Enabled() }
func inSecret(fn func()) { secret.Do(fn) }
