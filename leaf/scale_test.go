package leaf_test

import (
	"sync"
	"testing"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/leaf"
)

// The same on 1, 2, … threads at once; the figures are of all threads together.
// See make bench-scale.

// Two tasks in each thread, and locks of their own: two hand-overs, there and back.
func BenchmarkScaleMutexHandOver(b *testing.B) {
	b.RunParallel(func(pb *testing.PB) {
		var there, back leaf.Mutex
		_, _ = there.Lock(), back.Lock()
		stop := false
		answers, err := ctx.Spawn(func(*ctx.Task) {
			for !stop {
				_ = there.Lock()
				back.Unlock()
			}
		})
		if err != nil {
			b.Error(err)
			return
		}
		asks, err := ctx.Spawn(func(*ctx.Task) {
			for pb.Next() {
				there.Unlock()
				_ = back.Lock()
			}
			stop = true
			there.Unlock()
		})
		if err != nil || asks.Wait() != nil || !answers.Done() {
			b.Error(err, "or a task still waits")
		}
	})
}

// A lock of each thread's own, which is free.
func BenchmarkScaleMutexOwn(b *testing.B) {
	b.RunParallel(func(pb *testing.PB) {
		var m leaf.Mutex
		for pb.Next() {
			_ = m.Lock()
			m.Unlock()
		}
	})
}

// One lock that all threads want.
func BenchmarkScaleMutexShared(b *testing.B) {
	var m leaf.Mutex
	n := 0
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			_ = m.Lock()
			n++
			m.Unlock()
		}
	})
	if n != b.N {
		b.Fatal(n)
	}
}

func BenchmarkScalePeerMutexShared(b *testing.B) {
	var m sync.Mutex
	n := 0
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			m.Lock()
			n++
			m.Unlock()
		}
	})
	if n != b.N {
		b.Fatal(n)
	}
}

func BenchmarkScaleRWMutexRead(b *testing.B) {
	var m leaf.RWMutex
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			_ = m.RLock()
			m.RUnlock()
		}
	})
}

func BenchmarkScalePeerRWMutexRead(b *testing.B) {
	var m sync.RWMutex
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			m.RLock()
			//lint:ignore SA2001 that is what is measured
			m.RUnlock()
		}
	})
}

// One channel with a buffer, into which and out of which each thread puts and takes.
func BenchmarkScaleChanShared(b *testing.B) {
	c := leaf.NewChan[int](1024)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			_ = c.Send(1)
			_, _ = c.Recv()
		}
	})
}

func BenchmarkScalePeerChanShared(b *testing.B) {
	c := make(chan int, 1024)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			c <- 1
			<-c
		}
	})
}
