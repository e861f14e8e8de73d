package stackhop_test

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/mmapstack"
)

func portable() bool { return stackhop.Backend().Name == "portable" }

func region(t *testing.T, size int) stackhop.Region {
	s, err := mmapstack.New(size)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s.Region()
}

func TestResizeErrors(t *testing.T) {
	r := region(t, 64<<10)
	size := r.Hi - r.Lo
	pow2 := uintptr(1)
	for pow2*2 < size {
		pow2 *= 2
	}
	for _, tc := range []struct {
		name string
		lo   uintptr
		is   error
	}{
		{"unaligned", r.Lo + 8, stackhop.ErrRegion},
		{"all of it", r.Top, stackhop.ErrRegion},
		{"less than a region", r.Top - stackhop.MinRegion + 16, stackhop.ErrRegion},
		{"a power of two left", r.Hi - pow2, stackhop.ErrRegion},
		{"too near to the stack pointer", r.Top - stackhop.MinRegion - 16, stackhop.ErrRoom},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.is == stackhop.ErrRoom && portable() {
				t.Skip("portable backend: the body is not on the region")
			}
			var err error
			var before, after int
			c, e := stackhop.New(r, func(c *stackhop.Coro) {
				before = c.Room()
				err = c.Resize(tc.lo)
				after = c.Room()
			})
			require.NoError(t, e)
			c.Switch()
			require.ErrorIs(t, err, tc.is)
			require.Equal(t, before, after, "nothing moved")
			var room *stackhop.RoomError
			if tc.is == stackhop.ErrRoom {
				require.ErrorAs(t, err, &room)
				require.Equal(t, tc.lo, room.Lo)
				require.Less(t, room.Max, tc.lo)
			}
		})
	}
	t.Run("not the body", func(t *testing.T) {
		c, err := stackhop.New(r, func(c *stackhop.Coro) { c.Switch() })
		require.NoError(t, err)
		require.ErrorIs(t, c.Resize(r.Lo), stackhop.ErrNotCurrent)
		c.Switch()
		require.ErrorIs(t, c.Resize(r.Lo), stackhop.ErrNotCurrent)
		require.Zero(t, c.Room())
		c.Switch()
		require.ErrorIs(t, c.Resize(r.Lo), stackhop.ErrNotCurrent)
	})
	t.Run("a stack of the runtime", func(t *testing.T) {
		c, e := stackhop.New(stackhop.Region{}, func(c *stackhop.Coro) {
			require.ErrorIs(t, c.Resize(r.Lo), stackhop.ErrRegion)
			require.Zero(t, c.Room())
		})
		require.NoError(t, e)
		c.Switch()
	})
}

// What Room answers, Resize accepts, but for a window that is a power of two.
func TestRoomIsWhatResizeAccepts(t *testing.T) {
	r := region(t, 64<<10)
	c, err := stackhop.New(r, func(c *stackhop.Coro) {
		n := uintptr(c.Room())
		require.Greater(t, n, uintptr(40<<10))
		require.NoError(t, c.Resize(r.Lo+n-256))
		require.LessOrEqual(t, c.Room(), 1024)
		c.Switch()
		require.NoError(t, c.Resize(r.Lo))
		require.GreaterOrEqual(t, c.Room(), int(n-512))
	})
	require.NoError(t, err)
	c.Switch()
	runtime.GC()
	c.Switch()
	require.True(t, c.Done())
}

func TestRoamingRunsEachBodyOnItsRegion(t *testing.T) {
	regions := []stackhop.Region{region(t, 16<<10), region(t, 64<<10)}
	c := stackhop.NewRoaming()
	require.True(t, c.Done())
	before := runtime.NumGoroutine()
	for i := range 200 {
		n := 0
		require.NoError(t, c.ResetOn(regions[i%2], func(c *stackhop.Coro) {
			require.Same(t, c, stackhop.Current())
			n++
			c.Switch()
			n++
		}))
		require.ErrorIs(t, c.ResetOn(regions[i%2], func(*stackhop.Coro) {}), stackhop.ErrNotDone)
		c.Switch()
		require.Nil(t, stackhop.Current())
		require.ErrorIs(t, c.Close(), stackhop.ErrNotDone)
		c.Switch()
		require.Equal(t, 2, n)
		require.True(t, c.Done())
	}
	require.LessOrEqual(t, runtime.NumGoroutine(), before+1)
	require.NoError(t, c.Close())
}

func TestRoamingErrors(t *testing.T) {
	r := region(t, 16<<10)
	body := func(*stackhop.Coro) { t.Error("the body began") }
	c := stackhop.NewRoaming()
	require.ErrorIs(t, c.Reset(body), stackhop.ErrRegion)
	require.ErrorIs(t, c.ResetOn(stackhop.Region{}, body), stackhop.ErrRegion)
	require.ErrorIs(t, c.ResetOn(r, nil), stackhop.ErrNilBody)
	require.ErrorIs(t, c.Reset(body), stackhop.ErrRegion, "a refused ResetOn leaves no region behind")
	require.ErrorIs(t, c.TrySwitch(), stackhop.ErrDone)
	require.NoError(t, c.Close())
	require.NoError(t, c.Close())
	require.ErrorIs(t, c.ResetOn(r, body), stackhop.ErrClosed)
	fixed, err := stackhop.New(r, nil)
	require.NoError(t, err)
	require.ErrorIs(t, fixed.ResetOn(r, body), stackhop.ErrRegion)
	require.NoError(t, fixed.Close())
}

func TestDropRefusals(t *testing.T) {
	r := region(t, 16<<10)
	c := stackhop.NewRoaming()
	require.True(t, c.Drop(), "it is done already")
	require.NoError(t, c.ResetOn(r, func(*stackhop.Coro) { t.Error("the body began") }))
	require.True(t, c.Drop(), "it has not begun")
	require.True(t, c.Done())
	require.NoError(t, c.ResetOn(r, func(c *stackhop.Coro) { require.False(t, c.Drop(), "it runs") }))
	c.Switch()
	require.True(t, c.Done())
	require.NoError(t, c.Close())
	require.True(t, c.Drop())

	fixed, err := stackhop.New(r, func(c *stackhop.Coro) { c.Switch() })
	require.NoError(t, err)
	fixed.Switch()
	require.False(t, fixed.Drop())
	fixed.Switch()
	require.True(t, fixed.Done())
}

func TestRoamingAllocatesNothing(t *testing.T) {
	if portable() {
		t.Skip("portable backend: a goroutine for each body is not the claim here")
	}
	r := region(t, 16<<10)
	c := stackhop.NewRoaming()
	body := func(c *stackhop.Coro) {
		if c.Resize(r.Lo+4096) != nil || c.Resize(r.Lo) != nil {
			panic("refused")
		}
	}
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		if c.ResetOn(r, body) != nil {
			panic("refused")
		}
		c.Switch()
	}))
	require.NoError(t, c.Close())
}

func BenchmarkRoaming(b *testing.B) {
	s, err := mmapstack.New(16 << 10)
	require.NoError(b, err)
	c := stackhop.NewRoaming()
	body := func(*stackhop.Coro) {}
	for b.Loop() {
		if c.ResetOn(s.Region(), body) != nil {
			b.Fatal("refused")
		}
		c.Switch()
	}
	require.NoError(b, c.Close())
	require.NoError(b, s.Close())
}

func BenchmarkResize(b *testing.B) {
	s, err := mmapstack.New(64 << 10)
	require.NoError(b, err)
	lo := s.Region().Lo
	c, err := stackhop.New(s.Region(), func(c *stackhop.Coro) {
		for b.Loop() {
			if c.Resize(lo+8192) != nil || c.Resize(lo) != nil {
				b.Fatal("refused")
			}
		}
	})
	require.NoError(b, err)
	c.Switch()
	require.NoError(b, s.Close())
}
