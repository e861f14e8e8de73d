package sched_test

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
	"github.com/stackhop/stackhop/sched"
)

// Figures side by side: go test -bench . ./sched. Those called Peer do the same
// with goroutines.

// One task that is queued and resumed, again and again.
func BenchmarkLoopYield(b *testing.B) {
	b.ReportAllocs()
	l := sched.NewLoop()
	_ = l.Go(func(task *ctx.Task) {
		for b.Loop() {
			_ = l.Yield(task)
		}
	})
	_ = l.Drain()
}

// A thousand tasks that take turns: the queue is long.
func BenchmarkLoopYield1000(b *testing.B) {
	b.ReportAllocs()
	l := sched.NewLoop()
	per := b.N/1000 + 1
	for range 1000 {
		_ = l.Go(func(task *ctx.Task) {
			for range per {
				_ = l.Yield(task)
			}
		})
	}
	b.ResetTimer()
	_ = l.Drain()
}

func BenchmarkPeerGosched1000(b *testing.B) {
	b.ReportAllocs()
	per := b.N/1000 + 1
	var wg sync.WaitGroup
	for range 1000 {
		wg.Go(func() {
			for range per {
				runtime.Gosched()
			}
		})
	}
	b.ResetTimer()
	wg.Wait()
}

func BenchmarkPoolYield1000(b *testing.B) {
	for _, workers := range []int{1, 2} {
		b.Run(map[int]string{1: "workers=1", 2: "workers=2"}[workers], func(b *testing.B) {
			b.ReportAllocs()
			p, _ := sched.NewPool(workers)
			defer p.Close()
			per := b.N/1000 + 1
			for range 1000 {
				_ = p.Go(func(task *ctx.Task) {
					for range per {
						_ = p.Yield(task)
					}
				})
			}
			b.ResetTimer()
			_ = p.Wait()
		})
	}
}

// One task alone on a Pool, whose other workers have nothing to do.
func BenchmarkPoolYieldAlone(b *testing.B) {
	b.ReportAllocs()
	p, _ := sched.NewPool(2)
	defer p.Close()
	_ = p.Go(func(task *ctx.Task) {
		for b.Loop() {
			_ = p.Yield(task)
		}
	})
	_ = p.Wait()
}

// Posts from a goroutine that is no worker's, in bursts.
func BenchmarkPoolPostFromOutside(b *testing.B) {
	b.ReportAllocs()
	p, _ := sched.NewPool(1)
	defer p.Close()
	var wg sync.WaitGroup
	f := wg.Done
	for b.Loop() {
		wg.Add(1000)
		for range 1000 {
			_ = p.Do(f)
		}
		wg.Wait()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/post")
}

// Tasks that begin, do nothing, and end; started by a task on the Pool.
func BenchmarkPoolGo(b *testing.B) {
	b.ReportAllocs()
	p, _ := sched.NewPool(1)
	defer p.Close()
	_ = p.Go(func(task *ctx.Task) {
		n := 0
		for b.Loop() {
			_ = p.Go(func(*ctx.Task) {})
			if n++; n%256 == 0 {
				_ = p.Yield(task)
			}
		}
	})
	_ = p.Wait()
}

func BenchmarkLoopGo(b *testing.B) {
	b.ReportAllocs()
	l := sched.NewLoop()
	for b.Loop() {
		_ = l.Go(func(*ctx.Task) {})
		_ = l.Drain()
	}
}

func BenchmarkPeerGo(b *testing.B) {
	b.ReportAllocs()
	var wg sync.WaitGroup
	n := 0
	for b.Loop() {
		wg.Go(func() {})
		if n++; n%256 == 0 {
			wg.Wait()
		}
	}
	wg.Wait()
}

// A thousand tasks in timer waits.
func BenchmarkLoopSleep(b *testing.B) {
	b.ReportAllocs()
	l := sched.NewLoop()
	per := b.N/1000 + 1
	for range 1000 {
		_ = l.Go(func(task *ctx.Task) {
			for range per {
				_ = l.Sleep(task, 1) // due in the next turn
			}
		})
	}
	b.ResetTimer()
	_ = l.Drain()
}

func BenchmarkPeerSleep(b *testing.B) {
	b.ReportAllocs()
	per := b.N/1000 + 1
	var wg sync.WaitGroup
	for range 1000 {
		wg.Go(func() {
			for range per {
				time.Sleep(time.Nanosecond)
			}
		})
	}
	b.ResetTimer()
	wg.Wait()
}

func BenchmarkOn(b *testing.B) {
	b.ReportAllocs()
	l, m := sched.NewLoop(), sched.NewLoop()
	_ = l.Go(func(task *ctx.Task) {
		for b.Loop() {
			_ = sched.On(m, task)
			_ = sched.On(l, task)
		}
	})
	for l.Stats().Tasks != 0 {
		_ = l.RunUntilIdle()
		_ = m.RunUntilIdle()
	}
}

// From a leaf, home: two suspensions.
func BenchmarkLoopComeHome(b *testing.B) {
	b.ReportAllocs()
	l := sched.NewLoop()
	var k leaf
	stop := false
	_ = l.Go(func(task *ctx.Task) {
		for !stop {
			_ = task.Park(&k)
		}
	})
	_ = l.RunUntilIdle()
	for b.Loop() {
		_ = k.h.Resume()
		_ = l.RunUntilIdle()
	}
	stop = true
	_ = k.h.Resume()
	_ = l.Drain()
}

var _ resume.Publisher = (*leaf)(nil)
