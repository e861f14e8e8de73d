package mmapstack

import (
	"math/bits"
	"sync/atomic"
)

// marks counts high-water marks in classes, four to a power of two, from 256
// bytes on.
type marks struct {
	most    atomic.Int64
	classes [markClasses]atomic.Uint64
}

const (
	markLeast   = 256
	markClasses = int(4*(maxShift-8) + 2)
)

// classOf returns the class that has marks of n bytes.
func classOf(n int) int {
	if n <= markLeast {
		return 0
	}
	k := bits.Len(uint(n-1)) - 1 // 2^k < n <= 2^(k+1)
	return min(4*(k-8)+(n-1-1<<k)>>(k-2)+1, markClasses-1)
}

// classEnd returns the greatest mark of class c.
func classEnd(c int) int {
	if c == 0 {
		return markLeast
	}
	k := 8 + (c-1)/4
	return 1<<k + ((c-1)%4+1)<<(k-2)
}

func (m *marks) add(n int) {
	m.classes[classOf(n)].Add(1)
	for old := m.most.Load(); int64(n) > old && !m.most.CompareAndSwap(old, int64(n)); old = m.most.Load() {
	}
}

func (m *marks) sum() Marks {
	var counts [markClasses]uint64
	var all Marks
	for c := range counts {
		counts[c] = m.classes[c].Load()
		all.Count += counts[c]
	}
	all.Most = int(m.most.Load())
	quantile := func(rank uint64) int {
		for c, n := range counts {
			if rank < n {
				return min(classEnd(c), all.Most)
			}
			rank -= n
		}
		return all.Most
	}
	if all.Count != 0 {
		all.Median, all.P99 = quantile((all.Count-1)/2), quantile(all.Count-1-all.Count/100)
	}
	return all
}

// Marks sums up high-water marks, in bytes; see Stack.HighWater.
type Marks struct {
	Count  uint64 // uses counted
	Median int    // half of them used no more; at most a quarter too much
	P99    int    // likewise for 99 of 100
	Most   int    // exact
}

// WithHighWater has the pool take the high-water mark of each use, at Put, for
// Stats. Get and Put pay for it: two system calls, the reading of a
// page, and the zeroing of what the last use has touched.
func WithHighWater() PoolOption { return func(p *Pool) { p.marks = new(marks) } }
