//go:build !amd64 || !linux || race

package resume

// storeLoadBarrier has nothing to do: package release's stores are sequentially
// consistent here, and so an atomic load after one is done after it.
func storeLoadBarrier() {}
