package ctx_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stackhop/stackhop/ctx"
)

// BenchmarkWave has n tasks alive at once, again and again. It measures a task's start up
// to its suspension, and its end. Idle coroutines stay from wave to wave, within the
// bounds of each storage. Run it with -benchtime=3x.
func BenchmarkWave(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000, 1_000_000} {
		for _, on := range []struct {
			name string
			opts []ctx.Option
		}{
			{"default", nil},
			{"sized", []ctx.Option{ctx.WithStackSize(64 << 10)}},
			{"strict", []ctx.Option{ctx.WithStrictStack(64 << 10)}},
		} {
			b.Run(fmt.Sprintf("%s/%d", on.name, n), func(b *testing.B) {
				tasks := make([]*ctx.Task, n)
				body := func(t *ctx.Task) { t.Yield() }
				wave(b, n, func(i int) {
					t, err := ctx.Spawn(body, on.opts...)
					if err != nil {
						b.Fatal(err)
					}
					tasks[i] = t
				}, func(i int) {
					if err := tasks[i].Resume(); err != nil {
						b.Fatal(err)
					}
					_ = tasks[i].Free()
				})
				tasks = nil
				_, _ = ctx.RetireIdle()
			})
		}
		b.Run(fmt.Sprintf("goroutines/%d", n), func(b *testing.B) {
			stop := make(chan int)
			var wg sync.WaitGroup
			wave(b, n, func(int) {
				wg.Add(1)
				go func() { <-stop; wg.Done() }()
			}, func(i int) {
				if stop <- 1; i == n-1 {
					wg.Wait()
				}
			})
		})
	}
}

// wave calls start and then end for each of n, once before it counts.
func wave(b *testing.B, n int, start, end func(i int)) {
	all := func() {
		for i := range n {
			start(i)
		}
		for i := range n {
			end(i)
		}
	}
	all()
	for b.Loop() {
		all()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/task")
}
