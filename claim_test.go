//go:build stackhopcheck && linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28

package stackhop

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Owners on several goroutines switch to one coroutine without a guard. Each call runs
// the body or is refused: nothing is torn.
func TestTwoOwnersAtOnceAreRefused(t *testing.T) {
	var regions [2]Region
	if backend().name == asmName {
		regions[1] = testRegion(t, 64<<10)
	}
	for _, r := range regions {
		var entered, switched, refused atomic.Int64
		var stop atomic.Bool
		c, err := New(r, func(c *Coro) {
			for !stop.Load() {
				entered.Add(1)
				c.Switch()
			}
		})
		require.NoError(t, err)
		var owners sync.WaitGroup
		for range 4 {
			owners.Go(func() {
				for !stop.Load() {
					switch err := c.TrySwitch(); {
					case err == nil:
						switched.Add(1)
					case errors.Is(err, ErrRunning):
						refused.Add(1)
					case !errors.Is(err, ErrDone): // the last
						t.Error(err)
						return
					}
				}
			})
		}
		time.Sleep(300 * time.Millisecond)
		stop.Store(true)
		owners.Wait()
		for !c.Done() {
			c.Switch()
		}
		require.Positive(t, refused.Load())
		require.Positive(t, switched.Load())
		require.LessOrEqual(t, entered.Load(), switched.Load()+1)
	}
}

// An owner that waits in a coroutine's body keeps other owners out, after transfers too.
// The coroutine that a transfer has left is free.
func TestAClaimFollowsTransfers(t *testing.T) {
	var a, b *Coro
	var fromOutside, inTransfer error
	outside := func(c *Coro) (err error) {
		done := make(chan struct{})
		go func() { defer close(done); err = c.TrySwitch() }()
		<-done
		return err
	}
	var err error
	a, err = New(Region{}, func(c *Coro) {
		require.NoError(t, c.Transfer(b))
		c.Switch()
	})
	require.NoError(t, err)
	b, err = New(Region{}, func(c *Coro) {
		fromOutside = outside(b)
		inTransfer = c.Transfer(b)
		c.Switch()
	})
	require.NoError(t, err)
	require.NoError(t, a.TrySwitch()) // returns out of b
	require.ErrorIs(t, fromOutside, ErrRunning)
	require.ErrorIs(t, inTransfer, ErrRunning)
	require.NoError(t, outside(a), "its owner has gone on to b's")
	require.NoError(t, outside(a))
	require.True(t, a.Done())
	require.NoError(t, b.TrySwitch())
	require.True(t, b.Done())
	claims.Range(func(c, _ any) bool {
		require.False(t, c == a || c == b, "a claim is left")
		return true
	})
}
