//go:build !race

package ctx_test

const raceEnabled = false
