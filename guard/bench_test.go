package guard_test

import (
	"testing"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/guard"
)

//go:noinline
func sink(n int) int {
	var a [100]int
	a[n%100] = n
	if n == 0 {
		return 0
	}
	return sink(n-1) + a[n%100]
}

func benchOn(b *testing.B, policy guard.Policy, body func()) {
	if stackhop.Backend().Name != "asm" {
		b.Skip("this is about the asm backend")
	}
	s, err := guard.New(policy, 128<<10)
	if err != nil {
		b.Fatal(err)
	}
	c, err := stackhop.New(s.Region(), nil)
	if err != nil {
		b.Fatal(err)
	}
	before := guard.Stats()
	for b.Loop() {
		if err := c.Reset(func(*stackhop.Coro) { body() }); err != nil {
			b.Fatal(err)
		}
		c.Switch()
		c.Shrink()
	}
	after := guard.Stats()
	b.ReportMetric(float64(after.Grown-before.Grown)/float64(b.N), "growths/op")
	b.ReportMetric(float64(after.Stepped-before.Stepped)/float64(b.N), "steps/op")
	if err := c.Close(); err != nil {
		b.Fatal(err)
	}
}

// A body that uses 100 KiB: on a stack that has them, on one that grows in
// place, and on a goroutine, whose stack the runtime copies.
func BenchmarkDeepStrict(b *testing.B) { benchOn(b, guard.Strict, func() { sink(110) }) }
func BenchmarkDeepGrow(b *testing.B)   { benchOn(b, guard.Growing, func() { sink(110) }) }
func BenchmarkDeepGoroutine(b *testing.B) {
	done := make(chan struct{})
	for b.Loop() {
		go func() { sink(110); done <- struct{}{} }()
		<-done
	}
}

// A survived overflow, from the first call to the recover.
func BenchmarkOverflow(b *testing.B) {
	benchOn(b, guard.Growing, func() {
		defer func() {
			if recover() == nil {
				b.Error("no overflow")
			}
		}()
		sink(1 << 30)
	})
}

// A call of Grow with room left, beside the call alone, and one that hops.
func BenchmarkGrowPlain(b *testing.B) { benchGrow(b, 1<<10) }
func BenchmarkGrowHop(b *testing.B)   { benchGrow(b, all) }

func benchGrow(b *testing.B, need int) {
	n := 0
	spawn(b, guard.Strict, func(*ctx.Task) {
		for b.Loop() {
			_ = guard.Grow(need, func() { n++ })
		}
	})
}

// A switch to a task and back, whose body suspends on an auxiliary stack.
func BenchmarkResumeInHop(b *testing.B) {
	task := spawn(b, guard.Strict, func(task *ctx.Task) {
		grow(func() {
			for {
				task.Yield()
			}
		})
	})
	for b.Loop() {
		_ = task.Resume()
	}
	_ = task.Cancel(nil)
}
