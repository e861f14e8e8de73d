package stackhop_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop"
)

func TestRegionCheckNamesTheRule(t *testing.T) {
	good := stackhop.Region{Lo: 1 << 20, Top: 1<<20 + 16<<10, Hi: 1<<20 + 22<<10}
	require.NoError(t, good.Check())
	for _, tc := range []struct {
		name, want string
		edit       func(r *stackhop.Region)
	}{
		{"unaligned", "multiples of 16", func(r *stackhop.Region) { r.Lo += 8 }},
		{"reversed", "Lo < Top < Hi", func(r *stackhop.Region) { r.Lo, r.Top = r.Top, r.Lo }},
		{"no dead space", "Lo < Top < Hi", func(r *stackhop.Region) { r.Hi = r.Top }},
		{"small", "the least is 4096", func(r *stackhop.Region) { r.Top = r.Lo + 4080 }},
		{"little dead space", "need at least", func(r *stackhop.Region) { r.Hi = r.Top + 1024 }},
		{"power of two", "power of two", func(r *stackhop.Region) { r.Hi = r.Lo + 32<<10 }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := good
			tc.edit(&r)
			err := r.Check()
			require.ErrorIs(t, err, stackhop.ErrRegion)
			var carrier *stackhop.RegionError
			require.ErrorAs(t, err, &carrier)
			require.Equal(t, r, carrier.Region)
			require.ErrorContains(t, err, tc.want)
			_, err = stackhop.New(r, func(*stackhop.Coro) {})
			require.ErrorIs(t, err, stackhop.ErrRegion)
		})
	}
}

func TestRegionBeyondWhatIsKeptOfIt(t *testing.T) {
	over := uint64(stackhop.MaxRegion) + stackhop.RegionAlign
	if uint64(uintptr(over)) != over {
		t.Skip("no address space for one")
	}
	r := stackhop.Region{Lo: 1 << 20, Top: 1<<20 + 16<<10, Hi: 1<<20 + uintptr(over)}
	require.ErrorContains(t, r.Check(), "Hi-Lo is 68719476736 bytes, the most is 68719476720")
	r.Hi -= stackhop.RegionAlign
	require.NoError(t, r.Check())
}

func TestErrorsOfReset(t *testing.T) {
	c, err := stackhop.New(stackhop.Region{}, nil)
	require.NoError(t, err)
	require.ErrorIs(t, c.Reset(nil), stackhop.ErrNilBody)
	require.ErrorIs(t, c.TrySwitch(), stackhop.ErrDone)
	require.NoError(t, c.Close())
	fresh, err := stackhop.New(stackhop.Region{}, func(*stackhop.Coro) { t.Error("ran") })
	require.NoError(t, err)
	require.NoError(t, fresh.Close(), "never started")
}
