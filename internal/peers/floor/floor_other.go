//go:build !amd64 && !arm64

package floor

// Available reports whether this architecture has the bare swap.
const Available = false

// RoundTrips does nothing here.
func RoundTrips(int) {}
