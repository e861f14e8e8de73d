package pull_test

import (
	"iter"
	"testing"

	"github.com/stackhop/stackhop/mmapstack"
	"github.com/stackhop/stackhop/pull"
)

func naturals(yield func(int) bool) {
	for i := 0; yield(i); i++ {
	}
}

func squares(yield func(int, string) bool) {
	for i := 0; yield(i*i, "x"); i++ {
	}
}

// channelPull is what iter.Pull would be by hand: a goroutine and channels.
func channelPull[V any](seq iter.Seq[V]) (next func() (V, bool), stop func()) {
	want, values := make(chan bool), make(chan V)
	go func() {
		defer close(values)
		if !<-want {
			return
		}
		seq(func(v V) bool {
			values <- v
			return <-want
		})
	}()
	next = func() (V, bool) {
		want <- true
		v, ok := <-values
		return v, ok
	}
	stop = func() {
		want <- false
		<-values
	}
	return next, stop
}

func each[V any](b *testing.B, next func() (V, bool), stop func()) {
	defer stop()
	next()
	b.ReportAllocs()
	for b.Loop() {
		next()
	}
}

func each2[K, V any](b *testing.B, next func() (K, V, bool), stop func()) {
	defer stop()
	next()
	b.ReportAllocs()
	for b.Loop() {
		next()
	}
}

func BenchmarkElement(b *testing.B) {
	b.Run("pull.Pull", func(b *testing.B) { next, stop := pull.Pull(naturals); each(b, next, stop) })
	b.Run("iter.Pull", func(b *testing.B) { next, stop := iter.Pull(naturals); each(b, next, stop) })
	b.Run("channels", func(b *testing.B) { next, stop := channelPull(naturals); each(b, next, stop) })
	b.Run("pull.PullFrom", func(b *testing.B) {
		next, stop, err := pull.PullFrom(newPool(b), naturals)
		if err != nil {
			b.Fatal(err)
		}
		each(b, next, stop)
	})
	b.Run("pull.Pull2", func(b *testing.B) { next, stop := pull.Pull2(squares); each2(b, next, stop) })
	b.Run("iter.Pull2", func(b *testing.B) { next, stop := iter.Pull2(squares); each2(b, next, stop) })
}

// BenchmarkStartStop makes an iterator, takes one element and stops.
func BenchmarkStartStop(b *testing.B) {
	b.Run("pull.Pull", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			next, stop := pull.Pull(naturals)
			next()
			stop()
		}
	})
	b.Run("pull.PullFrom", func(b *testing.B) {
		pool := newPool(b)
		b.ReportAllocs()
		for b.Loop() {
			next, stop, _ := pull.PullFrom(pool, naturals)
			next()
			stop()
		}
	})
	b.Run("iter.Pull", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			next, stop := iter.Pull(naturals)
			next()
			stop()
		}
	})
	b.Run("channels", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			next, stop := channelPull(naturals)
			next()
			stop()
		}
	})
}

func newPool(tb testing.TB) *mmapstack.Pool {
	pool, err := mmapstack.NewPool(0)
	if err != nil {
		tb.Skip(err)
	}
	tb.Cleanup(func() { _ = pool.Close() })
	return pool
}
