package tests

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/guard"
	"github.com/stackhop/stackhop/mmapstack"
	"github.com/stackhop/stackhop/pull"
	"github.com/stretchr/testify/require"
)

// A secret is a word that the scanning code never has in a register or in memory:
// it multiplies what it reads, and compares the product.
const (
	secretSeed    = 0x5e_c4e7_1eaf_0d15
	secretFactor  = 0x9e37_79b9_7f4a_7c15
	secretProduct = 0x3160_3116_81c4_3eb9 // of both, in 64 bits
)

// secretHalves are the secret in two parts, so that it stands in no constant.
var secretHalves = [2]uint64{secretSeed >> 32 << 32, secretSeed & (1<<32 - 1)}

func isSecret(w uint64) bool { return w*secretFactor == secretProduct }

// spread writes the secret all over n frames of half a KiB, and returns something
// that depends on it.
//
//go:noinline
func spread(n int) (sum byte) {
	var frame [64]uint64
	for i := range frame {
		frame[i] = secretHalves[0] | secretHalves[1]
	}
	if n > 0 {
		sum = spread(n - 1)
	}
	return sum + byte(frame[n%len(frame)])
}

func countSecrets(mem []uint64) (n int) {
	for _, w := range mem {
		if isSecret(w) {
			n++
		}
	}
	return n
}

// What a task leaves on a stack the next one on it cannot find, if the pool clears.
func TestClearedStacksKeepNothingOfTheirLastTask(t *testing.T) {
	needAsm(t)
	ends := map[string]func(t *ctx.Task){
		"returns":    func(*ctx.Task) { spread(20) },
		"is shallow": func(*ctx.Task) { spread(0) },
		"panics":     func(*ctx.Task) { spread(20); panic("end") },
		"suspends deep, is cancelled": func(t *ctx.Task) {
			var in func(n int)
			in = func(n int) {
				if n == 0 {
					t.Yield()
				} else if in(n - 1); spread(0) == 1 {
					panic("another secret")
				}
			}
			spread(20)
			in(10)
		},
	}
	for _, policy := range []guard.Policy{guard.Strict, guard.Growing} {
		for name, body := range ends {
			for _, clears := range []bool{false, true} {
				t.Run(fmt.Sprintf("%v/%s/%v", policy, name, clears), func(t *testing.T) {
					opts := []mmapstack.PoolOption{mmapstack.WithMax(1)}
					if clears {
						opts = append(opts, mmapstack.WithClear())
					}
					pool, err := guard.NewPool(policy, 64<<10, opts...)
					require.NoError(t, err)
					for range 3 {
						task, err := ctx.Spawn(body, ctx.WithPool(pool))
						require.NoError(t, err)
						if !task.Done() {
							require.NoError(t, task.Cancel(errors.New("enough")))
						}
						s, err := pool.GetAttached()
						require.NoError(t, err)
						if left := countSecrets(words(s.Region())); clears {
							require.Zero(t, left)
						} else {
							require.NotZero(t, left, "else the test finds nothing, ever")
						}
						pool.Put(s)
					}
					require.NoError(t, pool.Close())
				})
			}
		}
	}
}

// Likewise for an overflow (its panic uses the reserve) and for iterators.
func TestClearedStacksKeepNothingElse(t *testing.T) {
	needAsm(t)
	pool, err := guard.NewPool(guard.Growing, 64<<10, mmapstack.WithMax(1), mmapstack.WithClear())
	require.NoError(t, err)
	task, err := ctx.Spawn(func(*ctx.Task) {
		defer func() { spread(10) }() // in the reserve
		spread(1 << 20)
	}, ctx.WithPool(pool))
	require.NoError(t, err)
	require.ErrorIs(t, task.Err(), guard.ErrOverflow)
	clean := func() {
		s, err := pool.GetAttached()
		require.NoError(t, err)
		require.Zero(t, countSecrets(words(s.Region())))
		pool.Put(s)
	}
	clean()
	strict, err := mmapstack.NewPool(64<<10, mmapstack.WithMax(1), mmapstack.WithClear())
	require.NoError(t, err)
	next, stop, err := pull.PullFrom(strict, func(yield func(int) bool) {
		spread(20)
		yield(1)
	})
	require.NoError(t, err)
	next()
	stop()
	s, err := strict.GetAttached()
	require.NoError(t, err)
	require.Zero(t, countSecrets(words(s.Region())))
	strict.Put(s)
	require.NoError(t, strict.Close())
	require.NoError(t, pool.Close())
}
