//go:build !goexperiment.runtimesecret

package guard

func secretMode() bool   { return false }
func inSecret(fn func()) { fn() }
