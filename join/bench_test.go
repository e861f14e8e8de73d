package join_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/join"
	"github.com/stackhop/stackhop/mmapstack"
)

func nop(*ctx.Task) error { return nil }

// quiet has stacks handed out without notes on who gets them.
func quiet(b *testing.B) {
	mmapstack.TraceMakers(false)
	b.ReportAllocs()
}

func onTask(b *testing.B, f func(t *ctx.Task)) {
	quiet(b)
	t, err := ctx.Spawn(f, ctx.WithStrictStack(256<<10))
	if err != nil || !t.Done() || t.Err() != nil {
		b.Fatal(err, t.Err())
	}
}

// driven runs wait on a task again and again, and resumes its arms, which wait at
// the places, in order.
func driven(b *testing.B, wait func(), places ...*place) {
	quiet(b)
	stop := false
	t, err := ctx.Spawn(func(*ctx.Task) {
		for !stop {
			wait()
		}
	}, ctx.WithStrictStack(256<<10))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		for _, p := range places {
			_ = p.h.Resume()
		}
	}
	stop = true
	for _, p := range places {
		_ = p.h.Resume()
	}
	if !t.Done() {
		b.Fatal(t)
	}
}

func BenchmarkSpawnEnd(b *testing.B) {
	body := func(*ctx.Task) {}
	onTask(b, func(*ctx.Task) {
		for b.Loop() {
			t, _ := ctx.Spawn(body)
			t.Free()
		}
	})
}

func BenchmarkSpawnEndChild(b *testing.B) {
	body := func(*ctx.Task) {}
	onTask(b, func(p *ctx.Task) {
		for b.Loop() {
			t, _ := ctx.Spawn(body, ctx.WithParent(p))
			t.Free()
		}
	})
}

func BenchmarkAll(b *testing.B) {
	for name, size := range map[string]join.Size{"pooled": 0, "carved": 8 << 10} {
		b.Run(name+"/2 at once", func(b *testing.B) {
			onTask(b, func(*ctx.Task) {
				for b.Loop() {
					_ = size.All(nop, nop)
				}
			})
		})
		b.Run(name+"/10 at once", func(b *testing.B) {
			onTask(b, func(*ctx.Task) {
				for b.Loop() {
					_ = size.All(nop, nop, nop, nop, nop, nop, nop, nop, nop, nop)
				}
			})
		})
		b.Run(name+"/2 that wait", func(b *testing.B) {
			var x, y place
			wx, wy := body(x.wait), body(y.wait)
			driven(b, func() { _ = size.All(wx, wy) }, &x, &y)
		})
	}
	b.Run("goroutines and WaitGroup/2 at once", func(b *testing.B) { waitGroup(b, 2) })
	b.Run("goroutines and WaitGroup/10 at once", func(b *testing.B) { waitGroup(b, 10) })
	b.Run("goroutines, errors and cancel/2 at once", func(b *testing.B) { errGroup(b, 2) })
	b.Run("goroutines and WaitGroup/2 that wait", func(b *testing.B) {
		x, y := make(chan bool), make(chan bool)
		joined := make(chan bool)
		go func() {
			defer close(joined)
			for more := true; more; {
				var wg sync.WaitGroup
				wg.Go(func() { more = <-x })
				wg.Go(func() { <-y })
				wg.Wait()
			}
		}()
		for b.Loop() {
			x <- true
			y <- true
		}
		x <- false
		y <- false
		<-joined
	})
}

// Every thread joins arms of its own.
func BenchmarkAllOnEachThread(b *testing.B) {
	for name, size := range map[string]join.Size{"pooled": 0, "carved": 8 << 10} {
		b.Run(name+"/2 at once", func(b *testing.B) {
			quiet(b)
			b.RunParallel(func(pb *testing.PB) {
				t, err := ctx.Spawn(func(*ctx.Task) {
					for pb.Next() {
						_ = size.All(nop, nop)
					}
				}, ctx.WithStrictStack(256<<10))
				if err != nil || !t.Done() || t.Err() != nil {
					b.Error(err, t.Err())
				}
			})
		})
	}
}

func waitGroup(b *testing.B, n int) {
	for b.Loop() {
		var wg sync.WaitGroup
		for range n {
			wg.Go(func() {})
		}
		wg.Wait()
	}
}

// errGroup is what golang.org/x/sync/errgroup does, with a context.
func errGroup(b *testing.B, n int) {
	for b.Loop() {
		_, stop := context.WithCancelCause(context.Background())
		var wg sync.WaitGroup
		var once sync.Once
		for range n {
			wg.Go(func() {
				if err := nop(nil); err != nil {
					once.Do(func() { stop(err) })
				}
			})
		}
		wg.Wait()
		stop(nil)
	}
}

func BenchmarkAny(b *testing.B) {
	for name, size := range map[string]join.Size{"pooled": 0, "carved": 8 << 10} {
		b.Run(name+"/2 that wait", func(b *testing.B) {
			var x, y place
			wx, wy := body(x.wait), body(y.wait)
			driven(b, func() { _, _ = size.Any(wx, wy) }, &x)
		})
	}
	b.Run("goroutines/2 that wait", func(b *testing.B) {
		x, never, joined := make(chan bool), make(chan bool), make(chan bool)
		go func() {
			defer close(joined)
			for more := true; more; {
				won, halt := make(chan bool, 2), make(chan bool)
				var wg sync.WaitGroup
				for _, ch := range []chan bool{x, never} {
					wg.Go(func() {
						select {
						case v := <-ch:
							won <- v
						case <-halt:
						}
					})
				}
				more = <-won
				close(halt)
				wg.Wait()
			}
		}()
		for b.Loop() {
			x <- true
		}
		x <- false
		<-joined
	})
}

func BenchmarkSelect(b *testing.B) {
	for name, size := range map[string]join.Size{"pooled": 0, "carved": 8 << 10} {
		b.Run(name+"/3 that wait", func(b *testing.B) {
			var x, y, z place
			wx, wy, wz := body(x.wait), body(y.wait), body(z.wait)
			driven(b, func() { _, _ = size.Select(join.Body(wx), join.Body(wy), join.Body(wz)) }, &x)
		})
		b.Run(name+"/2 that wait and a timer", func(b *testing.B) {
			var x, y place
			wx, wy := body(x.wait), body(y.wait)
			driven(b, func() { _, _ = size.Select(join.Body(wx), join.Body(wy), join.After(time.Hour)) }, &x)
		})
	}
	b.Run("goroutine/3 channels", func(b *testing.B) {
		x, y, z, joined := make(chan bool), make(chan bool), make(chan bool), make(chan bool)
		go func() {
			defer close(joined)
			for more := true; more; {
				select {
				case more = <-x:
				case more = <-y:
				case more = <-z:
				}
			}
		}()
		for b.Loop() {
			x <- true
		}
		x <- false
		<-joined
	})
}

func BenchmarkScope(b *testing.B) {
	onTask(b, func(*ctx.Task) {
		for b.Loop() {
			_ = join.Within(func(s *join.Scope) error {
				s.Go(nop)
				s.Go(nop)
				return nil
			})
		}
	})
}

// Skynet (github.com/atemerev/skynet): a million leaves, each node of ten
// children, the sum of their numbers.
func skynetTask(num, size int) (sum int, err error) {
	if size == 1 {
		return num, nil
	}
	var parts [10]int
	err = join.Each(10, func(_ *ctx.Task, i int) (err error) {
		parts[i], err = skynetTask(num+i*size/10, size/10)
		return err
	})
	for _, p := range parts {
		sum += p
	}
	return sum, err
}

func skynetGoroutine(answer chan<- int, num, size int) {
	if size == 1 {
		answer <- num
		return
	}
	parts, sum := make(chan int), 0
	for i := range 10 {
		go skynetGoroutine(parts, num+i*size/10, size/10)
	}
	for range 10 {
		sum += <-parts
	}
	answer <- sum
}

const (
	skynetSize = 1_000_000
	skynetSum  = skynetSize * (skynetSize - 1) / 2
)

func BenchmarkSkynet(b *testing.B) {
	b.Run("tasks", func(b *testing.B) {
		onTask(b, func(*ctx.Task) {
			for b.Loop() {
				if sum, err := skynetTask(0, skynetSize); sum != skynetSum || err != nil {
					b.Fatal(sum, err)
				}
			}
		})
	})
	b.Run("goroutines", func(b *testing.B) {
		for b.Loop() {
			answer := make(chan int)
			go skynetGoroutine(answer, 0, skynetSize)
			if sum := <-answer; sum != skynetSum {
				b.Fatal(sum)
			}
		}
	})
}
