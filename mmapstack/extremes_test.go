package mmapstack

import (
	"fmt"
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

var extremeMemory [64 << 10]byte

// Whatever takes a size or a number of bytes takes it, or names it in a *SizeError.
func TestNoSizeWrapsOrIsIgnored(t *testing.T) {
	values := []int{math.MinInt, -1 << 40 & math.MinInt, -1, 0, 1, 4095, 1 << 20, MaxSize - 1, MaxSize, MaxSize + 1,
		math.MaxInt/2 + 1, math.MaxInt - os.Getpagesize(), math.MaxInt - 100, math.MaxInt - 1, math.MaxInt}
	newStack := func(size int, opts ...Option) error {
		s, err := New(size, opts...)
		if err == nil {
			err = s.Close()
		}
		return err
	}
	getPut := func(size int, opts ...PoolOption) error {
		p, err := NewPool(size, opts...)
		if err != nil {
			return err
		}
		var all []*Stack
		for range 3 {
			s, err := p.Get()
			if err != nil {
				require.ErrorIs(t, err, ErrLimit)
				break
			}
			all = append(all, s)
		}
		for _, s := range all {
			p.Put(s)
		}
		st := p.Stats()
		require.Equal(t, len(all), st.Idle+st.Cold)
		return p.Close()
	}
	for name, call := range map[string]func(n int) error{
		"New":             func(n int) error { return newStack(n) },
		"WithGuard":       func(n int) error { return newStack(0, WithGuard(n)) },
		"WithGrowth":      func(n int) error { return newStack(0, WithGrowth(n, 0)) },
		"its reserve":     func(n int) error { return newStack(0, WithGrowth(0, n)) },
		"its size":        func(n int) error { return newStack(n, WithGrowth(0, 0)) },
		"NewPool":         func(n int) error { return getPut(n) },
		"WithPoolGuard":   func(n int) error { return getPut(0, WithPoolGuard(n)) },
		"WithPoolGrowth":  func(n int) error { return getPut(0, WithPoolGrowth(n, 0)) },
		"its reserve too": func(n int) error { return getPut(0, WithPoolGrowth(0, n)) },
		"WithMax":         func(n int) error { return getPut(0, WithMax(n)) },
		"WithIdleBytes":   func(n int) error { return getPut(0, WithIdleBytes(n)) },
		"WithKeep":        func(n int) error { return getPut(0, WithKeep(n)) },
		"Static, WithGuard": func(n int) error {
			s, err := Static(extremeMemory[:], WithGuard(n))
			if err == nil {
				err = s.Close()
			}
			return err
		},
		"Default": func(n int) error {
			s, err := Default(n).Get()
			if err == nil {
				s.Pool().Put(s)
				s.Pool().Trim()
			}
			return err
		},
		"Carve": func(n int) error {
			s, err := New(2 << 20)
			require.NoError(t, err)
			k, err := s.Carve(n)
			if err == nil {
				require.GreaterOrEqual(t, CarveSpace(n), n)
				require.NoError(t, k.Close())
			}
			require.NoError(t, s.Close())
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, n := range values {
				before := Totals()
				err := call(n)
				require.Equal(t, before, Totals())
				if err == nil {
					require.GreaterOrEqual(t, n, 0)
					continue
				}
				require.ErrorIs(t, err, ErrSize, "%d", n)
				require.Contains(t, err.Error(), fmt.Sprint(n))
				var e *SizeError
				require.ErrorAs(t, err, &e)
				require.True(t, n < e.Min || n > e.Max || name == "WithGrowth" || name == "WithPoolGrowth", "%d is between %d and %d", n, e.Min, e.Max)
				require.LessOrEqual(t, e.Min, e.Max)
			}
		})
	}
	for _, n := range values {
		if space := CarveSpace(n); n <= MaxSize {
			require.GreaterOrEqual(t, space, max(n, MinSize))
		} else {
			require.Equal(t, math.MaxInt, space)
		}
	}
}
