package mmapstack

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEnteredStacksStayWithTheirCoroutine(t *testing.T) {
	subjects(t, func(t *testing.T, s *Stack) {
		require.NoError(t, s.Enter())
		require.True(t, s.Entered())
		require.ErrorIs(t, s.Enter(), ErrBusy)
		_, err := s.Carve(8 << 10)
		require.ErrorIs(t, err, ErrBusy)
		require.Panics(t, s.ResetHighWater)
		if p := s.Pool(); p != nil {
			require.Panics(t, func() { p.Put(s) })
			require.ErrorIs(t, p.Close(), ErrBusy)
		} else {
			require.ErrorIs(t, s.Close(), ErrBusy)
		}
		s.Leave()
		require.Panics(t, s.Leave)
		s.ResetHighWater()
	})
}

// Close and Trim never free a stack that Get has returned, and Get never returns a
// stack that they have freed.
func TestCloseAndTrimRacingGetTakeNothingThatIsOut(t *testing.T) {
	for round := range 200 {
		p, err := NewPool(16 << 10)
		require.NoError(t, err)
		var wg sync.WaitGroup
		var closed atomic.Bool
		for n := range 3 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for !closed.Load() {
					s, err := p.Get()
					if err == ErrClosed {
						continue // Close is under way, or has been refused
					}
					if err != nil {
						panic(err)
					}
					mem := s.memory()
					mem[0], mem[len(mem)-1] = byte(n), byte(n)
					if mem[0] != byte(n) || s.Enter() != nil {
						panic("a stack serves two")
					}
					s.Leave()
					p.Put(s)
				}
			}()
		}
		for i := 0; ; i++ {
			if (i+round)%3 == 0 {
				p.Trim()
				continue
			}
			err := p.Close()
			if err == nil {
				break
			}
			require.ErrorIs(t, err, ErrBusy)
		}
		closed.Store(true)
		wg.Wait()
		require.Zero(t, p.Stats().Slabs)
	}
}
