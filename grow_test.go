//go:build linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28

package stackhop

import (
	"errors"
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

var errTestOverflow = errors.New("overflow")

// growingRegion maps a region with 64 KiB usable and 128 KiB of reserve.
func growingRegion(t *testing.T) Region {
	t.Helper()
	if Backend().Name != asmName {
		t.Skipf("this is about the asm backend: %s", Backend().Reason)
	}
	require.NoError(t, EnableGrowth(func(Overflow) error { return errTestOverflow }))
	const reserve, usable, widest, guard = 128 << 10, 64 << 10, 256 << 10, 64 << 10
	mem, err := unix.Mmap(-1, 0, guard+reserve+usable+widest, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, unix.Munmap(mem)) })
	require.NoError(t, unix.Mprotect(mem[guard:guard+reserve+usable], unix.PROT_READ|unix.PROT_WRITE))
	lo := addressOf(mem) + guard
	return Region{Lo: lo, Limit: lo + reserve, Top: lo + reserve + usable, Hi: lo + reserve + widest, First: MinWindow}
}

func TestGrowingRegionCheckNamesTheRule(t *testing.T) {
	good := Region{Lo: 1 << 20, Limit: 1<<20 + 64<<10, Top: 1<<20 + 192<<10, Hi: 1<<20 + 320<<10, First: 8 << 10}
	require.NoError(t, good.Check())
	for _, tc := range []struct {
		name, want string
		edit       func(r *Region)
	}{
		{"unaligned", "multiples of 16", func(r *Region) { r.Limit += 8 }},
		{"reversed", "Lo < Limit < Top < Hi", func(r *Region) { r.Lo, r.Limit = r.Limit, r.Lo }},
		{"little reserve", "Limit-Lo is", func(r *Region) { r.Lo = r.Limit - MinReserve + 16 }},
		{"small", "Top-Limit is", func(r *Region) { r.Top = r.Limit + 4080 }},
		{"first not set", "First is 0", func(r *Region) { r.First = 0 }},
		{"first odd", "First is 12288", func(r *Region) { r.First = 12 << 10 }},
		{"first wide", "First is 524288", func(r *Region) { r.First = 512 << 10 }},
		{"no power of two", "Hi-Limit is", func(r *Region) { r.Hi += 16 }},
		{"little dead space", "three quarters", func(r *Region) { r.Top += 16 << 10 }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := good
			tc.edit(&r)
			err := r.Check()
			require.ErrorIs(t, err, ErrRegion)
			require.ErrorContains(t, err, tc.want)
		})
	}
}

// Every window that a region can have is what the runtime accepts: a power of two,
// a quarter of it dead space, and inside the region.
func TestWindowsOfARegion(t *testing.T) {
	r := growingRegion(t)
	fits := func(w extent) {
		size := w.hi - w.lo
		require.Zero(t, size&(size-1))
		require.GreaterOrEqual(t, (w.hi-r.Top+RegionHeader)*4, size)
		require.GreaterOrEqual(t, w.lo, r.Lo)
		require.LessOrEqual(t, w.hi, r.Hi)
	}
	last := r.Top
	for size := r.First; size <= r.Hi-r.Limit; size *= 2 {
		w := r.sized(size)
		fits(w)
		require.True(t, w.lo < last || w.lo == r.Limit)
		last = w.lo
	}
	require.Equal(t, extent{r.Limit, r.Hi}, r.sized(r.Hi-r.Limit))
	w, ok, n := r.sized(1<<30), true, 0
	for ; ok; n++ {
		fits(w)
		w, ok = r.slid(w, retryStep)
	}
	require.EqualValues(t, (r.Limit-r.Lo)/retryStep+1, n)
}

func TestGrowingKeepsItsEnd(t *testing.T) {
	c, err := New(growingRegion(t), func(c *Coro) {
		if err := c.Resize(c.region.lo + 4096); !errors.Is(err, ErrRegion) {
			t.Error(err)
		}
	})
	require.NoError(t, err)
	c.Switch()
	require.True(t, c.Done())
}

// Functions of this package are none that a panic may begin in. Below the limit
// each goes on behind its stack check, its arguments as they were, whatever
// their kinds; and so does what it calls, parked on a channel too.
func TestCallsThatMayNotPanicGoOnInTheReserve(t *testing.T) {
	r := growingRegion(t)
	var reached, limit uintptr
	c, err := New(r, func(c *Coro) {
		ch := make(chan [4]int)
		one := 1
		if got := manyArguments(130, 1, -2, 3, -4, -5, 6, 7.5, 8.25, "nine", &one, []byte("ten"), 11i, ch, c, &reached); got != 130 {
			t.Error("returned", got)
		}
		limit = c.Region().Limit
	})
	require.NoError(t, err)
	c.Switch()
	require.True(t, c.Done())
	require.NotZero(t, reached)
	require.Less(t, reached, limit)
	require.Greater(t, reached, limit-64<<10)
}

//go:noinline
func manyArguments(n int, a uint8, b int8, c uint16, d int16, e int32, f uint32, g float32, h float64, s string, p *int,
	bytes []byte, i complex128, ch chan [4]int, co *Coro, reached *uintptr) int {
	if n == 0 {
		*reached = callerSP()
		return 0
	}
	var v [4]int
	want := [4]int{n, n + 1, n + 2, n + 3}
	if n%8 == 0 {
		go func() { runtime.Gosched(); ch <- want }()
		select {
		case v = <-ch:
		case <-neverReady:
		}
	} else {
		v = want
	}
	r := manyArguments(n-1, a, b, c, d, e, f, g, h, s, p, bytes, i, ch, co, reached)
	if a != 1 || b != -2 || c != 3 || d != -4 || e != -5 || f != 6 || g != 7.5 || h != 8.25 || s != "nine" || *p != 1 ||
		string(bytes) != "ten" || i != 11i || co.Region().First != MinWindow || v != want {
		panic(fmt.Sprint("at ", n, ": ", a, b, c, d, e, f, g, h, s, *p, bytes, i, v))
	}
	return r + 1
}

var neverReady chan int

// The stack check of functions with frames of every kind is one that is known.
func TestPrologueIsKnown(t *testing.T) {
	growingRegion(t)
	for name, pc := range map[string]uintptr{
		"small":  entryOf(func() { var a [16]byte; touchBytes(a[:]) }),
		"medium": entryOf(func() { var a [600]byte; touchBytes(a[:]) }),
		"large":  entryOf(func() { var a [3000]byte; touchBytes(a[:]) }),
		"huge":   entryOf(func() { var a [16 << 10]byte; touchBytes(a[:]) }),
	} {
		p, ok := prologueAt(pc)
		require.True(t, ok, name)
		require.Greater(t, p.body, pc)
		require.Less(t, p.body, pc+40)
	}
	_, ok := prologueAt(entryOf(func() {}))
	require.False(t, ok, "a function without a stack check")
}

//go:noinline
func touchBytes(b []byte) { b[len(b)-1]++ }

func entryOf(f func()) uintptr { return *funcval(f) }
