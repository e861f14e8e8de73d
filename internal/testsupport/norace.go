//go:build !race

package testsupport

// Race reports whether the race detector is built in.
const Race = false
