package mmapstack

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

var arena [64 << 10]byte

// subjects are stacks of all kinds that can be carved from.
func subjects(t *testing.T, f func(t *testing.T, s *Stack)) {
	t.Run("pooled", func(t *testing.T) {
		p := newPool(t, 64<<10, probedGuard())
		s, err := p.Get()
		require.NoError(t, err)
		f(t, s)
		p.Put(s)
	})
	t.Run("own", func(t *testing.T) {
		s, err := New(64 << 10)
		require.NoError(t, err)
		f(t, s)
		require.NoError(t, s.Close())
	})
	t.Run("static", func(t *testing.T) {
		s, err := Static(arena[:])
		require.NoError(t, err)
		f(t, s)
		require.NoError(t, s.Close())
	})
	t.Run("carved", func(t *testing.T) {
		p, err := New(256 << 10)
		require.NoError(t, err)
		s, err := p.Carve(48 << 10)
		require.NoError(t, err)
		f(t, s)
		require.NoError(t, s.Close())
		require.NoError(t, p.Close())
	})
}

func TestCarvedStacksLieInsideAndAreClosedLastInFirstOut(t *testing.T) {
	subjects(t, func(t *testing.T, s *Stack) {
		whole := s.Region()
		var kids []*Stack
		for _, size := range []int{4096, 5000, 12 << 10} {
			before := s.Region()
			k, err := s.Carve(size)
			require.NoError(t, err)
			require.Equal(t, Carved, k.Kind())
			require.NoError(t, k.Region().Check())
			require.NoError(t, s.Region().Check())
			require.GreaterOrEqual(t, k.Size(), size)
			require.Equal(t, before.Lo, k.Region().Lo)
			require.LessOrEqual(t, k.Region().Hi, s.Region().Lo, "the dead space lies inside, too")
			kids = append(kids, k)
		}
		var order *OrderError
		require.ErrorAs(t, kids[0].Close(), &order)
		require.Equal(t, 2, order.Later)
		if s.Kind() != Pooled {
			require.ErrorAs(t, s.Close(), &order)
			require.Equal(t, 3, order.Later)
		}
		for i := len(kids) - 1; i >= 0; i-- {
			require.NoError(t, kids[i].Close())
			require.ErrorIs(t, kids[i].Close(), ErrClosed)
		}
		require.Equal(t, whole, s.Region())
	})
}

func TestCarveRefusesWhatDoesNotFit(t *testing.T) {
	subjects(t, func(t *testing.T, s *Stack) {
		before := s.Region()
		for _, size := range []int{-1, 0, 100, MinSize - 1, MaxSize + 1, s.Size()} {
			_, err := s.Carve(size)
			require.ErrorIs(t, err, ErrSize)
		}
		_, err := s.Carve(s.Size())
		var e *SizeError
		require.ErrorAs(t, err, &e)
		require.Equal(t, s.Size(), e.Value)
		k, err := s.Carve(e.Max - 256) // the limit it names, but for alignment
		require.NoError(t, err)
		require.NoError(t, s.Region().Check())
		require.NoError(t, k.Close())
		require.Equal(t, before, s.Region())
	})
}

func TestCarveAsksTheResizer(t *testing.T) {
	subjects(t, func(t *testing.T, s *Stack) {
		before := s.Region()
		s.Attach("a coroutine")
		_, err := s.Carve(MinSize)
		require.ErrorIs(t, err, ErrBusy)

		no := errors.New("no")
		var asked []uintptr
		var answer error
		s.SetResizer(func(lo uintptr) error { asked = append(asked, lo); return answer })
		answer = no
		_, err = s.Carve(MinSize)
		require.ErrorIs(t, err, ErrBusy)
		require.ErrorIs(t, err, no)
		require.Equal(t, before, s.Region())

		answer = nil
		k, err := s.Carve(MinSize)
		require.NoError(t, err)
		answer = no
		require.ErrorIs(t, k.Close(), no)
		answer = nil
		require.NoError(t, k.Close())
		require.Equal(t, before, s.Region())
		require.Equal(t, []uintptr{asked[0], asked[0], before.Lo, before.Lo}, asked)
		s.SetResizer(nil)
		s.Attach(nil)
	})
}

func TestCarvingAgainDoesNotAllocate(t *testing.T) {
	s, err := New(0)
	require.NoError(t, err)
	requireNoAllocs(t, func() {
		a, _ := s.Carve(MinSize)
		b, _ := s.Carve(MinSize)
		_ = b.Close()
		_ = a.Close()
	})
	require.NoError(t, s.Close())
	_, err = s.Carve(MinSize)
	require.ErrorIs(t, err, ErrClosed)
}
