package stackhop_test

import (
	"iter"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/mmapstack"
)

// Each benchmark operation is a round trip: there and back.

func BenchmarkIterPull(b *testing.B) {
	next, stop := iter.Pull(func(yield func(int) bool) {
		for yield(1) {
		}
	})
	b.ReportAllocs()
	for b.Loop() {
		next()
	}
	stop()
}

func BenchmarkChannel(b *testing.B) {
	in, out := make(chan int), make(chan int)
	go func() {
		for v := range in {
			out <- v
		}
	}()
	b.ReportAllocs()
	for b.Loop() {
		in <- 1
		<-out
	}
	close(in)
}

func BenchmarkSwitch(b *testing.B) {
	for _, r := range []string{"native", "mapped"} {
		b.Run(r, func(b *testing.B) {
			var region stackhop.Region
			if r == "mapped" {
				s, err := mmapstack.New(64 << 10)
				require.NoError(b, err)
				defer s.Close()
				region = s.Region()
			}
			stop := false
			c, err := stackhop.New(region, func(c *stackhop.Coro) {
				for !stop {
					c.Switch()
				}
			})
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				c.Switch()
			}
			stop = true
			c.Switch()
		})
	}
}
