package ctx_test

import (
	"iter"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stackhop/stackhop/ctx"
)

// The same work on 1, 2, … threads at once, each with tasks of its own; the
// figures are of all threads together. See make bench-scale.

func BenchmarkScaleSpawnEndFree(b *testing.B) {
	body := func(*ctx.Task) {}
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			t, err := ctx.Spawn(body)
			if err != nil {
				b.Error(err)
				return
			}
			t.Free()
		}
	})
}

func BenchmarkScalePeerGoJoin(b *testing.B) {
	body := func() {}
	b.RunParallel(func(pb *testing.PB) {
		var wg sync.WaitGroup
		for pb.Next() {
			wg.Go(body)
			wg.Wait()
		}
	})
}

func BenchmarkScaleYieldResume(b *testing.B) {
	b.RunParallel(func(pb *testing.PB) {
		stop := false
		t, err := ctx.Spawn(func(t *ctx.Task) {
			for !stop {
				t.Yield()
			}
		})
		if err != nil {
			b.Error(err)
			return
		}
		for pb.Next() {
			_ = t.Resume()
		}
		stop = true
		_ = t.Resume()
	})
}

// The tasks are made by one thread, one after the other, and so lie beside each other.
func BenchmarkScaleNeighbours(b *testing.B) {
	tasks := make([]*ctx.Task, runtime.GOMAXPROCS(0))
	stop := false
	for i := range tasks {
		t, err := ctx.Spawn(func(t *ctx.Task) {
			for !stop {
				t.Yield()
			}
		})
		if err != nil {
			b.Fatal(err)
		}
		tasks[i] = t
	}
	var taken atomic.Int32
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		t := tasks[taken.Add(1)-1]
		for pb.Next() {
			_ = t.Resume()
		}
	})
	stop = true
	for _, t := range tasks {
		_ = t.Resume()
	}
}

func BenchmarkScalePeerIterPull(b *testing.B) {
	b.RunParallel(func(pb *testing.PB) {
		next, stop := iter.Pull(func(yield func(struct{}) bool) {
			for yield(struct{}{}) {
			}
		})
		defer stop()
		for pb.Next() {
			next()
		}
	})
}
