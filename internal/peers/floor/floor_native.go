//go:build amd64 || arm64

package floor

// Available reports whether this architecture has the bare swap.
const Available = true

// batch bounds how long a preemption request may have to wait: well under a
// millisecond.
const batch = 100_000

// RoundTrips swaps to the other side and back n times.
func RoundTrips(n int) {
	for ; n > batch; n -= batch {
		swaps(batch)
	}
	if n > 0 {
		swaps(uint64(n))
	}
}

// swaps makes n round trips. n is at least 1.
func swaps(n uint64)
