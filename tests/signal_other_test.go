//go:build !unix

package tests

import "os"

// winch cannot be sent here; the test that wants to says so and skips.
var winch = os.Interrupt
