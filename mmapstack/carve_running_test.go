package mmapstack

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop"
)

// A body carves from the stack that it runs on, and what it carved serves at
// once.
func TestCarveForTheBodyOnIt(t *testing.T) {
	subjects(t, func(t *testing.T, s *Stack) {
		before := s.Region()
		ran := 0
		c, err := stackhop.New(before, func(c *stackhop.Coro) {
			a, err := s.CarveFor(c, MinSize)
			require.NoError(t, err)
			b, err := s.CarveFor(c, MinSize)
			require.NoError(t, err)
			for _, k := range []*Stack{a, b} {
				require.NoError(t, k.Region().Check())
				nested, err := stackhop.New(k.Region(), func(n *stackhop.Coro) { ran++; n.Switch(); ran++ })
				require.NoError(t, err)
				nested.Switch()
				c.Switch()
				nested.Switch()
			}
			require.ErrorIs(t, a.Close(), ErrOrder)
			require.NoError(t, b.Close())
			require.NoError(t, a.Close())
		})
		require.NoError(t, err)
		for !c.Done() {
			c.Switch()
		}
		require.Equal(t, 4, ran)
		require.Equal(t, before, s.Region())
	})
}

func TestCarveForRefusals(t *testing.T) {
	s, err := New(64 << 10)
	require.NoError(t, err)
	before := s.Region()
	c, err := stackhop.New(before, func(c *stackhop.Coro) {
		k, err := s.CarveFor(c, MinSize)
		require.NoError(t, err)
		c.Switch()
		require.NoError(t, k.Close())
	})
	require.NoError(t, err)
	_, err = s.CarveFor(c, MinSize)
	require.ErrorIs(t, err, ErrBusy)
	require.ErrorIs(t, err, stackhop.ErrNotCurrent, "not called by what runs on it")
	require.Equal(t, before, s.Region())
	c.Switch()
	s.SetResizer(func(uintptr) error { return errors.New("not asked") })
	k := s.carving.last
	require.ErrorIs(t, k.Close(), stackhop.ErrNotCurrent)
	c.Switch()
	require.Equal(t, before, s.Region())
	require.ErrorIs(t, k.Close(), ErrClosed)
	s.SetResizer(nil)
	require.NoError(t, s.Close())
}

func TestCarveSpaceIsEnough(t *testing.T) {
	s, err := New(1 << 20)
	require.NoError(t, err)
	for size := MinSize; size < 256<<10; size += 1000 {
		before := s.Region().Lo
		k, err := s.Carve(size)
		require.NoError(t, err)
		taken := int(s.Region().Lo - before)
		require.LessOrEqual(t, taken, CarveSpace(size))
		require.Less(t, CarveSpace(size)-taken, 256)
		require.NoError(t, k.Close())
	}
	require.NoError(t, s.Close())
}

func TestCarvingForABodyDoesNotAllocate(t *testing.T) {
	s, err := New(0)
	require.NoError(t, err)
	c, err := stackhop.New(s.Region(), func(c *stackhop.Coro) {
		requireNoAllocs(t, func() {
			a, _ := s.CarveFor(c, MinSize)
			b, _ := s.CarveFor(c, MinSize)
			_ = b.Close()
			_ = a.Close()
		})
	})
	require.NoError(t, err)
	c.Switch()
	require.NoError(t, s.Close())
}
