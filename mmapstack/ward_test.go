package mmapstack

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func wardCount() (n int) {
	for w := wards.head.Load(); w != nil; w = w.next.Load() {
		n++
	}
	return n
}

func TestGuardOwnerIsTheStackAboveTheGuard(t *testing.T) {
	before := wardCount()
	eachGuard(t, func(t *testing.T, g guardKind) {
		p := newPool(t, 16<<10, g, WithMax(40))
		var all []*Stack
		for range 40 { // of two slabs and some
			s, err := p.Get()
			require.NoError(t, err)
			all = append(all, s)
		}
		for _, s := range all {
			r := s.Region()
			gap := uintptr(p.lay.gap)
			require.Same(t, s, GuardOwner(r.Lo-1))
			require.Same(t, s, GuardOwner(r.Lo-gap))
			require.Nil(t, GuardOwner(r.Lo))
			require.Nil(t, GuardOwner(r.Top-1))
			require.NotSame(t, s, GuardOwner(r.Lo-gap-1))
		}
		for _, s := range all {
			p.Put(s)
		}
		require.NoError(t, p.Close())
		for _, s := range all {
			require.Nil(t, GuardOwner(s.Region().Lo-1))
		}
	})
	require.Equal(t, before, wardCount())
}

func TestGuardOwnerKnowsStaticGuards(t *testing.T) {
	before := wardCount()
	s, err := Static(staticMemory[:], WithGuard(1))
	if err != nil {
		t.Skip(err)
	}
	require.Same(t, s, GuardOwner(s.Region().Lo-1))
	require.Nil(t, GuardOwner(s.Region().Lo))
	lo := s.Region().Lo
	require.NoError(t, s.Close())
	require.Nil(t, GuardOwner(lo-1))
	require.Equal(t, before, wardCount())
}

var staticMemory [64 << 10]byte
