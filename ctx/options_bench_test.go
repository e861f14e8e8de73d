package ctx_test

import (
	"testing"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
)

type nobodyCares struct{}

func (nobodyCares) TaskEnded(*ctx.Task) (none resume.Handle) { return }

// BenchmarkSpawnWith is BenchmarkSpawnEndFree with options.
func BenchmarkSpawnWith(b *testing.B) {
	body := func(*ctx.Task) {}
	for name, opt := range map[string]ctx.Option{
		"name":  ctx.WithName("x"),
		"onEnd": ctx.WithOnEnd(nobodyCares{}),
		"home":  ctx.WithHome(new(keeper)),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				t, err := ctx.Spawn(body, opt)
				if err != nil {
					b.Fatal(err)
				}
				_ = t.Free()
			}
		})
	}
}

// BenchmarkCancel is of a task that has yielded, its spawn included.
func BenchmarkCancel(b *testing.B) {
	b.ReportAllocs()
	body := func(t *ctx.Task) { t.Yield() }
	for b.Loop() {
		t, err := ctx.Spawn(body)
		if err != nil || t.Cancel(errWhy) != nil {
			b.Fatal(err)
		}
		_ = t.Free()
	}
}

// BenchmarkPark is what leaf primitives do, without and with extras.
func BenchmarkPark(b *testing.B) {
	for name, opts := range map[string][]ctx.Option{
		"plain": nil,
		"named": {ctx.WithName("x")},
	} {
		b.Run(name, func(b *testing.B) {
			stop := false
			w := new(waiter)
			t, err := ctx.Spawn(func(t *ctx.Task) {
				for !stop {
					_ = t.Park(w)
				}
			}, opts...)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				_ = w.h.Resume()
			}
			stop = true
			_ = w.h.Resume()
			_ = t.Free()
		})
	}
}
