package mmapstack

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop"
)

func TestGrowingStacksHaveRegionsThatTheKernelTakes(t *testing.T) {
	for _, tt := range []struct{ size, first, reserve int }{
		{0, 0, 0}, {MinSize, 0, 0}, {12 << 10, 0, 32 << 10}, {64 << 10, 0, 32 << 10}, {64 << 10, 16 << 10, 64 << 10},
		{100 << 10, 64 << 10, 24 << 10}, {128 << 10, 256 << 10, 0}, {1 << 20, 8 << 10, 256 << 10}, {GrowMax, 0, 0},
	} {
		for range Colours {
			s, err := New(tt.size, WithGrowth(tt.first, tt.reserve))
			require.NoError(t, err)
			r := s.Region()
			require.NoError(t, r.Check(), "%+v %+v", tt, r)
			require.LessOrEqual(t, r.Hi, addrOf(s.slab.mem)+uintptr(len(s.slab.mem)), "dead space is the stack's own")
			require.Equal(t, s.Size(), int(alignUp(r.Top, uintptr(pageCeil(1)))-r.Limit), "what may be used is the size")
			require.NotZero(t, r.First)
			require.NoError(t, s.Close())
		}
	}
}

func TestGrowingPoolGivesWhatItSays(t *testing.T) {
	p := newPool(t, 0, probedGuard(), WithPoolGrowth(0, 0))
	require.Equal(t, GrowDefault, p.Size())
	require.Equal(t, GrowDefault, p.Stats().Size)
	s, err := p.Get()
	require.NoError(t, err)
	defer p.Put(s)
	require.EqualValues(t, FirstDefault, s.Region().First)
	_, err = s.Carve(MinSize)
	require.ErrorIs(t, err, ErrBusy)
}

func TestGrowthErrors(t *testing.T) {
	for name, opt := range map[string]Option{
		"small reserve": WithGrowth(0, stackhop.MinReserve-1),
		"large reserve": WithGrowth(0, 1<<24),
		"small first":   WithGrowth(stackhop.MinWindow/2, 0),
		"large first":   WithGrowth(1<<20, 0),
		"odd first":     WithGrowth(12<<10, 0),
	} {
		_, err := New(64<<10, opt)
		require.ErrorIs(t, err, ErrSize, name)
	}
	_, err := New(GrowMax+1, WithGrowth(0, 0))
	require.ErrorIs(t, err, ErrSize)
}
