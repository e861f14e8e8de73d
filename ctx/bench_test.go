package ctx_test

import (
	"fmt"
	"iter"
	"testing"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
)

// Figures side by side: go test -bench . ./ctx. A pair is there and back.

func BenchmarkYieldResume(b *testing.B) {
	b.ReportAllocs()
	stop := false
	t, err := ctx.Spawn(func(t *ctx.Task) {
		for !stop {
			t.Yield()
		}
	})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := t.Resume(); err != nil {
			b.Fatal(err)
		}
	}
	stop = true
	_ = t.Resume()
}

// BenchmarkYieldResumeDepth shows that the depth of frames costs nothing (R2).
func BenchmarkYieldResumeDepth(b *testing.B) {
	for _, depth := range []int{1, 10, 100, 1000} {
		b.Run(fmt.Sprint(depth), func(b *testing.B) {
			stop := false
			t, err := ctx.Spawn(func(t *ctx.Task) {
				dive(depth, func() {
					for !stop {
						t.Yield()
					}
				})
			}, ctx.WithStackSize(1<<20))
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if err := t.Resume(); err != nil {
					b.Fatal(err)
				}
			}
			stop = true
			_ = t.Resume()
		})
	}
}

//go:noinline
func dive(depth int, leaf func()) int {
	if depth <= 1 {
		leaf()
		return 0
	}
	return dive(depth-1, leaf) + 1
}

// waiter is what a lock would be: it keeps the handle of who waits.
type waiter struct{ h resume.Handle }

func (w *waiter) Publish(h resume.Handle) { w.h = h }

func BenchmarkSuspendHandleResume(b *testing.B) {
	b.ReportAllocs()
	stop := false
	w := new(waiter)
	if _, err := ctx.Spawn(func(t *ctx.Task) {
		for !stop {
			t.SuspendTo(w)
		}
	}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := w.h.Resume(); err != nil {
			b.Fatal(err)
		}
	}
	stop = true
	_ = w.h.Resume()
}

func BenchmarkTransfer(b *testing.B) {
	b.ReportAllocs()
	stop := false
	var waiting [2]waiter
	var tasks [2]*ctx.Task
	for i := range tasks {
		var err error
		tasks[i], err = ctx.Spawn(func(t *ctx.Task) {
			t.SuspendTo(&waiting[i])
			for n := 1; ; n++ {
				if i == 0 && n%1024 == 0 {
					t.Yield()
				}
				if stop {
					return
				}
				own := &waiting[i]
				if err := waiting[1-i].h.TransferTo(own); err != nil {
					return
				}
			}
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	_ = waiting[0].h.Resume()
	for n := 0; b.Loop(); n++ {
		if n%2046 == 0 {
			_ = tasks[0].Resume()
		}
	}
	stop = true
	_ = tasks[0].Resume()
	_ = waiting[1].h.Resume()
}

func BenchmarkSpawnEndFree(b *testing.B) {
	b.ReportAllocs()
	body := func(*ctx.Task) {}
	for b.Loop() {
		t, err := ctx.Spawn(body)
		if err != nil {
			b.Fatal(err)
		}
		_ = t.Free()
	}
}

func BenchmarkSpawnEndKeep(b *testing.B) {
	b.ReportAllocs()
	body := func(*ctx.Task) {}
	for b.Loop() {
		if _, err := ctx.Spawn(body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCurrent(b *testing.B) {
	if _, err := ctx.Spawn(func(t *ctx.Task) {
		for b.Loop() {
			if ctx.Current() != t {
				b.Error("another task")
			}
		}
	}); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkPeerCoroSwitch(b *testing.B) {
	stop := false
	c, err := stackhop.New(stackhop.Region{}, func(c *stackhop.Coro) {
		for !stop {
			c.Switch()
		}
	})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		c.Switch()
	}
	stop = true
	c.Switch()
}

func BenchmarkPeerIterPull(b *testing.B) {
	next, stop := iter.Pull(func(yield func(struct{}) bool) {
		for yield(struct{}{}) {
		}
	})
	defer stop()
	for b.Loop() {
		next()
	}
}

func BenchmarkPeerChannel(b *testing.B) {
	to, from := make(chan struct{}), make(chan struct{})
	go func() {
		for range to {
			from <- struct{}{}
		}
	}()
	defer close(to)
	for b.Loop() {
		to <- struct{}{}
		<-from
	}
}

func BenchmarkPeerGoJoin(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		done := make(chan struct{})
		go func() { close(done) }()
		<-done
	}
}
