package mmapstack

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEveryRegionPassesCheckAndIsApart(t *testing.T) {
	eachGuard(t, func(t *testing.T, g guardKind) {
		for _, size := range []int{0, 4096, 8192, 12288, 16 << 10, 20000, 48 << 10, 64 << 10, 96 << 10, 1 << 20} {
			p := newPool(t, size, g)
			var all []*Stack
			for range 40 {
				s, err := p.Get()
				require.NoError(t, err)
				r := s.Region()
				require.NoError(t, r.Check(), "%v", s)
				require.GreaterOrEqual(t, s.Size(), size)
				base := addrOf(s.slab.mem)
				require.GreaterOrEqual(t, r.Lo-uintptr(p.lay.gap), base)
				require.LessOrEqual(t, r.Hi, base+uintptr(len(s.slab.mem)))
				for _, o := range all {
					require.True(t, r.Top < o.Region().Lo || o.Region().Top < r.Lo, "%v and %v", s, o)
				}
				all = append(all, s)
			}
			for _, s := range all {
				p.Put(s)
			}
		}
	})
}

func TestSuccessiveStacksHaveDifferentColours(t *testing.T) {
	p := newPool(t, 16<<10, probedGuard())
	seen := map[uintptr]int{}
	var all []*Stack
	for range 4 * Colours {
		s, err := p.Get()
		require.NoError(t, err)
		seen[s.top%4096]++
		all = append(all, s)
	}
	require.Len(t, seen, Colours)
	for off, n := range seen {
		require.Equal(t, 4, n, "offset %d", off)
		require.GreaterOrEqual(t, (off-1)%4096, uintptr(IdleLive), "what an idle stack keeps fits the top page")
	}
	for _, s := range all {
		p.Put(s)
	}
}

func TestPutGivesTheHottestStackBackFirst(t *testing.T) {
	p := newPool(t, 0, probedGuard())
	a, err := p.GetAttached()
	require.NoError(t, err)
	b, err := p.GetAttached()
	require.NoError(t, err)
	a.Attach("a stays")
	p.Put(a)
	got, err := p.GetAttached()
	require.NoError(t, err)
	require.Same(t, a, got)
	require.Equal(t, "a stays", got.Attached())
	a.Attach(nil)
	p.Put(a)
	p.Put(b)
}

func TestWarmGetAndPutDoNotAllocate(t *testing.T) {
	p := newPool(t, 0, probedGuard())
	s, err := p.Get()
	require.NoError(t, err)
	p.Put(s)
	requireNoAllocs(t, func() {
		a, _ := p.Get()
		p.Put(a)
	})
	three := func() {
		a, _ := p.Get()
		b, _ := p.Get()
		c, _ := p.Get()
		p.Put(a)
		p.Put(b)
		p.Put(c)
	}
	three()
	requireNoAllocs(t, three)
}

func TestStatsAddUp(t *testing.T) {
	p := newPool(t, 16<<10, probedGuard(), WithMax(20), WithIdleBytes(4<<20), WithKeep(1<<20))
	var all []*Stack
	for range 20 {
		s, err := p.Get()
		require.NoError(t, err)
		all = append(all, s)
	}
	_, err := p.Get()
	require.ErrorIs(t, err, ErrLimit)
	for _, s := range all[:5] {
		p.Put(s)
	}
	st := p.Stats()
	require.Equal(t, 15, st.InUse)
	require.Equal(t, 5, st.Idle)
	require.EqualValues(t, 20, st.Misses)
	require.EqualValues(t, 20, st.Gets)
	require.EqualValues(t, 5, st.Puts)
	require.Equal(t, 2, st.Slabs)
	require.EqualValues(t, Totals().Bytes, st.BytesReserved)

	require.Equal(t, 5, p.Trim())
	st = p.Stats()
	require.Equal(t, 0, st.Idle)
	require.Equal(t, 5, st.Cold)
	require.EqualValues(t, 5, st.Freed)
	for _, s := range all[5:] {
		p.Put(s)
	}
	p.Trim()
	st = p.Stats()
	require.Zero(t, st.Slabs+st.Cold+st.Idle+st.InUse)
	require.Zero(t, Totals().Bytes, "slabs without a stack in use are unmapped")
	s, err := p.Get()
	require.NoError(t, err)
	p.Put(s)
}

// A stack counts its uses in 16 bits.
func TestNoUseIsLostHoweverOftenAStackIsPut(t *testing.T) {
	p := newPool(t, 16<<10, probedGuard())
	const n = 1<<17 + 3
	for range n {
		s, err := p.Get()
		require.NoError(t, err)
		p.Put(s)
	}
	st := p.Stats()
	require.EqualValues(t, n, st.Puts)
	require.EqualValues(t, n, st.Gets)
	require.EqualValues(t, 1, st.Misses)
}

func TestPoolIsThatOfAPooledStackWhileItIsMapped(t *testing.T) {
	subjects(t, func(t *testing.T, s *Stack) {
		require.Equal(t, s.Kind() == Pooled, s.Pool() != nil)
	})
	p := newPool(t, 0, probedGuard())
	s, err := p.Get()
	require.NoError(t, err)
	require.Same(t, p, s.Pool())
	p.Put(s)
	require.Same(t, p, s.Pool())
	require.NoError(t, p.Close())
	require.Nil(t, s.Pool())
	require.Nil(t, new(Stack).Pool())
}

func TestPutBeyondTheLimitsGivesPagesBack(t *testing.T) {
	var freed []any
	p := newPool(t, 64<<10, probedGuard(), WithKeep(0), WithIdleBytes(leanBytes()), WithOnFree(func(v any) { freed = append(freed, v) }))
	n := len(p.shards)
	var all []*Stack
	for i := range n + 3 {
		s, err := p.Get()
		require.NoError(t, err)
		s.Attach(i)
		all = append(all, s)
		off := s.lo() - addrOf(s.slab.mem)
		for k := range s.Size() {
			s.slab.mem[int(off)+k] = 1
		}
	}
	for _, s := range all {
		p.Put(s)
	}
	st := p.Stats()
	require.Equal(t, n, st.Idle, "one for each shard")
	require.Equal(t, 3, st.Cold)
	require.Equal(t, []any{n, n + 1, n + 2}, freed)
	require.EqualValues(t, n, st.Leaned)
	require.EqualValues(t, 3, st.Freed)
	require.EqualValues(t, n+3, st.Puts)
	if runtime.GOOS == "linux" {
		for i, s := range all {
			mem := s.slab.mem[s.lo()-addrOf(s.slab.mem):][:s.Size()]
			require.Zero(t, mem[0], "the lowest page is gone")
			top := mem[uintptr(s.room)-1]
			if i < n {
				require.EqualValues(t, 1, top, "what lives on an idle stack stays")
			} else {
				require.Zero(t, top)
			}
		}
	}
}

type occupant struct{ err error }

func (o *occupant) Vacate() error { return o.err }

func TestOccupantsThatStayKeepTheirStack(t *testing.T) {
	p := newPool(t, 0, probedGuard())
	o := &occupant{err: ErrBusy}
	s, err := p.Get()
	require.NoError(t, err)
	s.Attach(o)
	p.Put(s)
	require.Zero(t, p.Trim())
	require.ErrorIs(t, p.Close(), ErrBusy)
	require.Equal(t, 1, p.Stats().Idle)
	o.err = nil
	require.Equal(t, 1, p.Trim())
	require.NoError(t, p.Close())

	own, err := New(0)
	require.NoError(t, err)
	own.Attach(&occupant{err: ErrBusy})
	require.ErrorIs(t, own.Close(), ErrBusy)
	own.Attach("no occupant")
	require.ErrorIs(t, own.Close(), ErrBusy)
	own.Attach(&occupant{})
	require.NoError(t, own.Close())
}

func TestHammerServesEveryStackToOneAtATime(t *testing.T) {
	eachGuard(t, func(t *testing.T, g guardKind) {
		p := newPool(t, 8192, g, WithMax(64), WithIdleBytes(16*8192), WithKeep(64<<10))
		const goroutines, rounds = 12, 3000
		pass := make(chan *Stack, 8) // stacks that another goroutine puts
		var wg sync.WaitGroup
		for n := range goroutines {
			wg.Add(1)
			go func() {
				defer wg.Done()
				rng := rand.New(rand.NewPCG(uint64(n), 1))
				for i := range rounds {
					s, err := p.Get()
					if err != nil {
						panic(err)
					}
					me := any(&i)
					s.Attach(me)
					if rng.IntN(4) == 0 {
						runtime.Gosched()
					}
					if s.Attached() != me {
						panic("a stack serves two")
					}
					s.Attach(nil)
					switch rng.IntN(8) {
					case 0:
						select {
						case pass <- s:
						default:
							p.Put(s)
						}
					case 1:
						p.Put(s)
						select {
						case o := <-pass:
							p.Put(o)
						default:
						}
					default:
						p.Put(s)
					}
					if rng.IntN(500) == 0 {
						p.Trim()
						p.Stats()
					}
				}
			}()
		}
		wg.Wait()
		close(pass)
		for s := range pass {
			p.Put(s)
		}
		st := p.Stats()
		require.Zero(t, st.InUse)
		require.EqualValues(t, st.Gets, st.Puts)
		require.NoError(t, p.Close())
	})
}

func TestCloseCountsWhatIsOut(t *testing.T) {
	p := newPool(t, 0, probedGuard())
	s, err := p.Get()
	require.NoError(t, err)
	var busy *BusyError
	require.ErrorAs(t, p.Close(), &busy)
	require.Equal(t, 1, busy.Out)
	p.Put(s)
	require.NoError(t, p.Close())
	require.ErrorIs(t, p.Close(), ErrClosed)
	_, err = p.Get()
	require.ErrorIs(t, err, ErrClosed)
	require.Panics(t, func() { p.Put(s) })
}

func TestDefaultPoolsAreOnePerPowerOfTwo(t *testing.T) {
	require.Same(t, Default(0), Default(DefaultSize))
	require.Same(t, Default(33<<10), Default(64<<10))
	require.NotSame(t, Default(32<<10), Default(64<<10))
	require.Equal(t, 128<<10, Default(65<<10).Size())
	for _, size := range []int{-1, MaxSize + 1} {
		p := Default(size)
		_, err := p.Get()
		require.ErrorIs(t, err, ErrSize)
		require.Zero(t, p.Trim())
		require.ErrorIs(t, p.Close(), ErrClosed)
		p.Stats()
	}
}

func TestTraceNamesWhoHasAStack(t *testing.T) {
	TraceMakers(true)
	defer TraceMakers(false)
	p := newPool(t, 0, probedGuard())
	s, err := p.Get()
	require.NoError(t, err)
	live := Live()
	require.Len(t, live, 1)
	require.Contains(t, live[0].Trace, "TestTraceNamesWhoHasAStack")
	p.Put(s)
	require.Empty(t, Live())
}

type leaver struct{ left int }

func (l *leaver) Vacate() error { l.left++; return nil }

func TestGetEvictsAndGetAttachedDoesNot(t *testing.T) {
	p, err := NewPool(16 << 10)
	require.NoError(t, err)
	s, err := p.Get()
	require.NoError(t, err)
	l := new(leaver)
	s.Attach(l)
	p.Put(s)
	again, err := p.GetAttached()
	require.NoError(t, err)
	require.Same(t, s, again)
	require.Same(t, l, again.Attached())
	p.Put(again)
	again, err = p.Get()
	require.NoError(t, err)
	require.Nil(t, again.Attached())
	require.Equal(t, 1, l.left)
	p.Put(again)
	require.NoError(t, p.Close())
}

func TestAZeroPoolIsClosed(t *testing.T) {
	var p Pool
	_, err := p.Get()
	require.ErrorIs(t, err, ErrClosed)
	require.Zero(t, p.Trim())
	require.Panics(t, func() { p.Put(new(Stack)) })
}
