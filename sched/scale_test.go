package sched_test

import (
	"runtime"
	"sync"
	"testing"

	"github.com/stackhop/stackhop/ctx"
	lock "github.com/stackhop/stackhop/leaf"
	"github.com/stackhop/stackhop/sched"
)

// The same on Pools of as many workers as processors; the figures are of all of
// them together. See make bench-scale.

// widePool makes a Pool that has a worker for each processor, and stacks that
// have been used before.
func widePool(b *testing.B) *sched.Pool {
	b.Helper()
	p, err := sched.NewPool(0)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = p.Close() })
	for range 1000 {
		_ = p.Go(func(task *ctx.Task) { _ = p.Yield(task) })
	}
	_ = p.Wait()
	b.ResetTimer()
	return p
}

// A thousand tasks that take turns.
func BenchmarkScaleYield(b *testing.B) {
	p := widePool(b)
	per := b.N/1000 + 1
	for range 1000 {
		_ = p.Go(func(task *ctx.Task) {
			for range per {
				_ = p.Yield(task)
			}
		})
	}
	_ = p.Wait()
}

func BenchmarkScalePeerGosched(b *testing.B) {
	per := b.N/1000 + 1
	var wg sync.WaitGroup
	for range 1000 {
		wg.Go(func() {
			for range per {
				runtime.Gosched()
			}
		})
	}
	wg.Wait()
}

// As many tasks as workers, each of which starts 256 that end at once, waits for
// them, and again.
func BenchmarkScaleGo(b *testing.B) {
	p := widePool(b)
	starters := runtime.GOMAXPROCS(0)
	rounds := b.N/starters/256 + 1
	for range starters {
		_ = p.Go(func(*ctx.Task) {
			var wg lock.WaitGroup
			body := func(*ctx.Task) { wg.Done() }
			for range rounds {
				wg.Add(256)
				for range 256 {
					_ = p.Go(body)
				}
				_ = wg.Wait()
			}
		})
	}
	_ = p.Wait()
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(starters*rounds*256), "ns/op")
}

func BenchmarkScalePeerGo(b *testing.B) {
	starters := runtime.GOMAXPROCS(0)
	rounds := b.N/starters/256 + 1
	var all sync.WaitGroup
	for range starters {
		all.Go(func() {
			var wg sync.WaitGroup
			body := func() { wg.Done() }
			for range rounds {
				wg.Add(256)
				for range 256 {
					go body()
				}
				wg.Wait()
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(starters*rounds*256), "ns/op")
}

// Each processor has a goroutine that is no worker, and that calls Do.
func BenchmarkScaleDoFromOutside(b *testing.B) {
	p := widePool(b)
	b.RunParallel(func(pb *testing.PB) {
		var wg sync.WaitGroup
		f := wg.Done
		for n := 1; pb.Next(); n++ {
			wg.Add(1)
			_ = p.Do(f)
			if n%256 == 0 {
				wg.Wait()
			}
		}
		wg.Wait()
	})
}

const (
	skynetSize  = 10_000
	skynetTasks = 11_111
	skynetSum   = skynetSize * (skynetSize - 1) / 2
)

// skynet starts ten tasks, each of which does the same with a tenth of the size,
// and sums up their answers.
func skynet(p *sched.Pool, num, size int) (sum int) {
	if size == 1 {
		return num
	}
	var parts [10]int
	var wg lock.WaitGroup
	wg.Add(len(parts))
	for i := range parts {
		_ = p.Go(func(*ctx.Task) {
			parts[i] = skynet(p, num+i*size/10, size/10)
			wg.Done()
		})
	}
	_ = wg.Wait()
	for _, n := range parts {
		sum += n
	}
	return sum
}

func skynetOfGoroutines(num, size int) (sum int) {
	if size == 1 {
		return num
	}
	var parts [10]int
	var wg sync.WaitGroup
	for i := range parts {
		wg.Go(func() { parts[i] = skynetOfGoroutines(num+i*size/10, size/10) })
	}
	wg.Wait()
	for _, n := range parts {
		sum += n
	}
	return sum
}

// One op is one of the tasks.
func BenchmarkScaleSkynet(b *testing.B) {
	p := widePool(b)
	for range b.N/skynetTasks + 1 {
		sum := 0
		_ = p.Go(func(*ctx.Task) { sum = skynet(p, 0, skynetSize) })
		_ = p.Wait()
		if sum != skynetSum {
			b.Fatal(sum)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N/skynetTasks+1)/skynetTasks, "ns/op")
}

func BenchmarkScalePeerSkynet(b *testing.B) {
	for range b.N/skynetTasks + 1 {
		if sum := skynetOfGoroutines(0, skynetSize); sum != skynetSum {
			b.Fatal(sum)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N/skynetTasks+1)/skynetTasks, "ns/op")
}
