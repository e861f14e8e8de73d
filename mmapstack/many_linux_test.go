package mmapstack

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// eachBatch runs f with system calls that serve many stacks, and without.
func eachBatch(t *testing.T, f func(t *testing.T)) {
	for name, without := range map[string]bool{"many at once": false, "one by one": true} {
		t.Run(name, func(t *testing.T) {
			before := noBatches.Load()
			noBatches.Store(without || before)
			defer noBatches.Store(before)
			f(t)
		})
	}
}

func takeMany(t *testing.T, p *Pool, n int) (all []*Stack) {
	for range n {
		s, err := p.Get()
		require.NoError(t, err)
		all = append(all, s)
	}
	return all
}

// residentPages counts the pages of all that are in memory.
func residentPages(t *testing.T, all []*Stack) (n int) {
	for _, s := range all {
		n += resident(t, s.slab.pages(s, 0))
	}
	return n
}

// Guards that went up together are where those are that went up one by one.
func TestManyNewStacksAreGuarded(t *testing.T) {
	if probedGuard() != guardMadvise {
		t.Skip("without MADV_GUARD_INSTALL the system call that looks may not see guards (QEMU)")
	}
	eachBatch(t, func(t *testing.T) {
		p := newPool(t, 8192, guardMadvise)
		all := takeMany(t, p, 1500)
		for i, s := range all {
			off := int(s.lo() - addrOf(s.slab.mem))
			require.True(t, faults(s.slab.mem[off-p.lay.gap:]), "below stack %d", i)
			require.False(t, faults(s.slab.mem[off:]), "stack %d", i)
			require.False(t, faults(s.slab.mem[off+p.lay.size-1:]), "stack %d", i)
			require.True(t, faults(s.slab.mem[off+p.lay.size:]), "above stack %d", i)
			s.slab.mem[off], s.slab.mem[off+p.lay.size-1] = 1, 1
		}
		for _, s := range all {
			p.Put(s)
		}
	})
}

// What idle stacks hold is bounded by bytes of pages, whatever the size of a page.
func TestIdleStacksHoldNoMoreThanTheirBytes(t *testing.T) {
	if probedGuard() != guardMadvise {
		t.Skip("mincore under an emulator tells of the emulator")
	}
	page := os.Getpagesize()
	eachBatch(t, func(t *testing.T) {
		for _, tt := range []struct{ keep, idle int }{{0, 0}, {0, 100 * page}, {64 * 4 * page, 100 * 4 * page}, {1 << 30, 200 * 4 * page}} {
			p := newPool(t, 4*page, probedGuard(), WithKeep(tt.keep), WithIdleBytes(tt.idle))
			for round := range 3 {
				all := takeMany(t, p, 700)
				for _, s := range all {
					clear(s.memory())
				}
				require.Equal(t, 700*4, residentPages(t, all))
				for _, s := range all {
					p.Put(s)
				}
				st := p.Stats()
				require.Equal(t, 700, st.Idle+st.Cold)
				// A part of each shard's share is rounded up, and drop stacks wait to be freed.
				slack := len(p.shards)*4 + (p.drop-1)*4
				require.LessOrEqual(t, residentPages(t, all), tt.idle/page+slack, "%+v, round %d", tt, round)
			}
			p.Trim()
			require.Zero(t, p.Stats().Slabs)
		}
	})
}

// Stacks that come from the cold ones are as good as others, and Trim leaves no
// page of those that it cannot unmap.
func TestTrimLeavesNoPageOfColdStacks(t *testing.T) {
	if probedGuard() != guardMadvise {
		t.Skip("mincore under an emulator tells of the emulator")
	}
	eachBatch(t, func(t *testing.T) {
		p := newPool(t, 2*os.Getpagesize(), probedGuard(), WithIdleBytes(50*leanBytes()))
		var kept []*Stack
		for range 4 {
			all := takeMany(t, p, 400)
			for _, s := range all {
				mem := s.memory()
				mem[0], mem[len(mem)-1] = 1, 1
			}
			if len(kept) == 0 {
				kept, all = append(kept, all[0], all[100], all[399]), append(all[1:100], all[101:399]...)
			}
			for _, s := range all {
				p.Put(s)
			}
			p.Trim()
			st := p.Stats()
			require.Zero(t, st.Idle)
			require.NotZero(t, st.Cold)
			require.Zero(t, p.dirty)
			for s := p.cold; s != nil; s = s.next {
				require.Zero(t, resident(t, s.slab.pages(s, 0)))
			}
			require.Equal(t, 2*len(kept), residentPages(t, kept))
		}
		for _, s := range kept {
			p.Put(s)
		}
	})
}
