package mmapstack

import (
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/stackhop/stackhop"
)

// write puts a byte n bytes below the top of s, as a deep call would.
func write(s *Stack, n int) {
	mem := s.memory()
	mem[len(mem)-n] = 1
}

func TestHighWaterIsTheLowestWordWritten(t *testing.T) {
	subjects(t, func(t *testing.T, s *Stack) {
		s.ResetHighWater()
		require.LessOrEqual(t, s.HighWater(), IdleLive)
		for _, n := range []int{IdleLive + 8, 5000, 4096 * 3, 4096*3 + 1, int(s.Region().Top - s.Region().Lo)} {
			write(s, n)
			require.Equal(t, (n+7)&^7, s.HighWater())
		}
		s.ResetHighWater()
		require.LessOrEqual(t, s.HighWater(), IdleLive)
	})
}

func TestHighWaterOfAFreshStackIsNothing(t *testing.T) {
	for _, opts := range [][]Option{nil, {WithGrowth(0, 0)}} {
		s, err := New(0, opts...)
		require.NoError(t, err)
		require.Zero(t, s.HighWater())
		write(s, 1)
		require.Equal(t, 8, s.HighWater())
		require.NoError(t, s.Close())
		require.Zero(t, s.HighWater(), "closed")
		s.ResetHighWater()
	}
}

func TestHighWaterEndsWithThePages(t *testing.T) {
	p := newPool(t, 0, probedGuard())
	s, err := p.Get()
	require.NoError(t, err)
	write(s, 30_000)
	p.Put(s)
	s, err = p.Get()
	require.NoError(t, err)
	require.EqualValues(t, 30_000, s.HighWater(), "of all uses since")
	p.Put(s)
	require.Equal(t, 1, p.Trim())
	s, err = p.Get()
	require.NoError(t, err)
	require.Zero(t, s.HighWater())
	p.Put(s)
}

// Asking makes no page.
func TestHighWaterLeavesUntouchedPagesAlone(t *testing.T) {
	s, err := New(4 << 20)
	require.NoError(t, err)
	write(s, 1)
	require.Equal(t, 8, s.HighWater())
	if runtime.GOOS == "linux" {
		require.Greater(t, untouched(s.memory()), len(s.memory())-2*os.Getpagesize())
	}
	require.NoError(t, s.Close())
}

func TestHighWaterOfABody(t *testing.T) {
	subjects(t, func(t *testing.T, s *Stack) {
		s.ResetHighWater()
		var inside int
		c, err := stackhop.New(s.Region(), func(*stackhop.Coro) { inside = fill(200) })
		require.NoError(t, err)
		c.Switch()
		require.True(t, c.Done())
		if stackhop.Backend().Name == "asm" {
			require.Greater(t, s.HighWater(), 200*64)
			require.Less(t, s.HighWater(), s.Size())
		}
		require.NotZero(t, inside)
		require.NoError(t, c.Close())
	})
}

//go:noinline
func fill(n int) int {
	var a [8]int
	for i := range a {
		a[i] = n + i
	}
	if n == 0 {
		return a[7]
	}
	return fill(n-1) + a[n%8]
}

func TestPoolWithHighWaterCountsEachUse(t *testing.T) {
	p := newPool(t, 0, probedGuard(), WithHighWater())
	for i := range 200 {
		s, err := p.Get()
		require.NoError(t, err)
		require.LessOrEqual(t, s.HighWater(), IdleLive)
		write(s, 4000+8*(i%100))
		if i == 7 {
			write(s, 50_000)
		}
		p.Put(s)
	}
	high := p.Stats().High
	require.EqualValues(t, 200, high.Count)
	require.Equal(t, 50_000, high.Most)
	require.InDelta(t, 4400, high.Median, 1100)
	require.Less(t, high.P99, 8192)
	require.Zero(t, newPool(t, 0, probedGuard()).Stats().High)
}

func TestClassesOfMarksAreInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, MaxSize).Draw(t, "n")
		c := classOf(n)
		require.LessOrEqual(t, n, classEnd(c))
		if c > 0 {
			require.Greater(t, n, classEnd(c-1))
			require.LessOrEqual(t, classEnd(c), n+n/4)
		}
	})
}

func TestSitesTellWhoTookWhat(t *testing.T) {
	tracing := watching.Load()
	WatchSites(true)
	subjects(t, func(t *testing.T, s *Stack) { write(s, 20_000) })
	own, err := New(0)
	require.NoError(t, err)
	WatchSites(false)
	require.Equal(t, tracing, watching.Load())
	write(own, 60_000)
	require.NoError(t, own.Close(), "not counted: closed too late")
	kinds := map[Kind]int{}
	for _, site := range Sites() {
		kinds[site.Kind]++
		require.True(t, strings.HasPrefix(site.Where, "github.com/stackhop/stackhop/mmapstack.subjects.func"), site.Where)
		require.Contains(t, site.Where, "carve_test.go:")
		require.EqualValues(t, 1, site.Count)
		require.GreaterOrEqual(t, site.Most, 20_000, site.Kind)
		require.Positive(t, site.Size)
	}
	require.Equal(t, map[Kind]int{Pooled: 1, Own: 2, Carved: 1, StaticMem: 1}, kinds)
	WatchSites(true)
	require.Empty(t, Sites())
	WatchSites(false)
}
