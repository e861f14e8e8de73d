package mmapstack

import "testing"

func BenchmarkGetPut(b *testing.B) {
	p := newPool(b, 0, probedGuard())
	b.ReportAllocs()
	for b.Loop() {
		s, _ := p.Get()
		p.Put(s)
	}
}

func BenchmarkGetPutThreeDeep(b *testing.B) {
	p := newPool(b, 0, probedGuard())
	b.ReportAllocs()
	for b.Loop() {
		x, _ := p.Get()
		y, _ := p.Get()
		z, _ := p.Get()
		p.Put(z)
		p.Put(y)
		p.Put(x)
	}
}

func BenchmarkGetPutParallel(b *testing.B) {
	p := newPool(b, 0, probedGuard())
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			s, _ := p.Get()
			p.Put(s)
		}
	})
}

// One thousand stacks out and in again, within what keeps its pages; then far beyond it.
func BenchmarkWaves(b *testing.B) {
	for name, n := range map[string]int{"1000": 1000, "10000": 10000} {
		b.Run(name, func(b *testing.B) {
			p := newPool(b, 0, probedGuard())
			all := make([]*Stack, n)
			b.ReportAllocs()
			for b.Loop() {
				for i := range all {
					all[i], _ = p.Get()
				}
				for _, s := range all {
					p.Put(s)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/stack")
		})
	}
}

func BenchmarkNewClose(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		s, err := New(0)
		if err != nil {
			b.Fatal(err)
		}
		_ = s.Close()
	}
}

func BenchmarkCold(b *testing.B) {
	p := newPool(b, 0, probedGuard())
	all := make([]*Stack, 0, b.N)
	b.ReportAllocs()
	for range b.N {
		s, err := p.Get()
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, s)
	}
	b.StopTimer()
	for _, s := range all {
		p.Put(s)
	}
}

func BenchmarkCarveClose(b *testing.B) {
	s, err := New(0)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		k, _ := s.Carve(8192)
		_ = k.Close()
	}
	_ = s.Close()
}

func BenchmarkGetPutWithHighWater(b *testing.B) {
	p := newPool(b, 0, probedGuard(), WithHighWater())
	b.ReportAllocs()
	for b.Loop() {
		s, _ := p.Get()
		p.Put(s)
	}
}

func BenchmarkHighWater(b *testing.B) {
	for name, n := range map[string]int{"shallow": 500, "20KiB": 20 << 10} {
		b.Run(name, func(b *testing.B) {
			s, err := New(0)
			if err != nil {
				b.Fatal(err)
			}
			write(s, n)
			for b.Loop() {
				s.HighWater()
			}
			_ = s.Close()
		})
	}
}

// What WithClear adds to a use that has touched two pages.
func BenchmarkGetPutClear(b *testing.B) {
	for name, opts := range map[string][]PoolOption{"keeps": nil, "clears": {WithClear()}} {
		b.Run(name, func(b *testing.B) {
			p, err := NewPool(64<<10, opts...)
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = p.Close() }()
			for b.Loop() {
				s, err := p.Get()
				if err != nil {
					b.Fatal(err)
				}
				mem := s.memory()
				mem[len(mem)-6000], mem[len(mem)-100] = 1, 1
				p.Put(s)
			}
		})
	}
}
