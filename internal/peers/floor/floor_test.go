//go:build amd64 || arm64

package floor

import (
	"runtime"
	"testing"
)

func TestRoundTripsComeBack(t *testing.T) {
	for _, n := range []int{0, 1, 2, batch - 1, batch, batch + 1} {
		RoundTrips(n)
	}
}

func TestRoundTripsSurviveCollections(t *testing.T) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 20 {
			runtime.GC()
		}
	}()
	for {
		RoundTrips(1000)
		select {
		case <-done:
			return
		default:
		}
	}
}

func BenchmarkRoundTrip(b *testing.B) { RoundTrips(b.N) }
