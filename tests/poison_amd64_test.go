//go:build linux && !race && !msan && !asan && go1.25 && !go1.28

package tests

// registers are what poisonedSwitch has seen, and seenNames what that is: each is the
// difference to what should be there.
type registers [5]uint64

var seenNames = [...]string{"BP, from SP", "R14", "g in TLS", "X15", "DF"}
