//go:build !unix

package tests

import "os"

// hangup cannot be sent here; the test that wants to says so and skips.
var hangup = os.Interrupt
