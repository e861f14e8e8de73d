package stackhop_test

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop"
)

// outside runs functions on a goroutine that is in no bubble.
func outside(t *testing.T) (run func(func())) {
	work, done := make(chan func()), make(chan bool)
	t.Cleanup(func() { close(work) })
	go func() {
		for f := range work {
			f()
			done <- true
		}
	}()
	return func(f func()) { work <- f; <-done }
}

func TestTransferInsideABubble(t *testing.T) {
	eachStorage(t, func(t *testing.T, r stackhop.Region) {
		synctest.Test(t, func(t *testing.T) {
			var log string
			b, err := stackhop.New(stackhop.Region{}, func(c *stackhop.Coro) {
				log += "b"
				c.Switch()
				log += "B"
			})
			require.NoError(t, err)
			a, err := stackhop.New(r, func(c *stackhop.Coro) {
				log += "a"
				for range 2 { // to a fresh body, then to a parked one
					require.NoError(t, c.Transfer(b))
					log += "A"
				}
			})
			require.NoError(t, err)
			a.Switch()
			log += "-"
			a.Switch()
			log += "-"
			a.Switch()
			require.Equal(t, "ab-AB-A", log)
			require.True(t, a.Done() && b.Done())
		})
	})
}

func TestCloseAcrossABubbleIsRefused(t *testing.T) {
	run := outside(t)
	if func() (in bool) {
		synctest.Test(t, func(*testing.T) { in = stackhop.InBubble() })
		return !in
	}() {
		t.Skip("this build cannot tell synctest bubbles: " + stackhop.Backend().Reason)
	}
	eachStorage(t, func(t *testing.T, r stackhop.Region) {
		synctest.Test(t, func(t *testing.T) {
			c, err := stackhop.New(r, nil)
			require.NoError(t, err)
			for range 2 { // fresh, then parked
				require.NoError(t, c.Reset(func(*stackhop.Coro) {}))
				run(func() {
					require.ErrorIs(t, c.TrySwitch(), stackhop.ErrBubble)
				})
				c.Switch()
				run(func() { require.ErrorIs(t, c.Close(), stackhop.ErrBubble) })
			}
			require.NoError(t, c.Close())
			require.ErrorIs(t, c.Reset(func(*stackhop.Coro) {}), stackhop.ErrClosed)
		})
	})
}

func TestCloseAfterResetWithoutSwitch(t *testing.T) {
	eachStorage(t, func(t *testing.T, r stackhop.Region) {
		c, err := stackhop.New(r, nil)
		require.NoError(t, err)
		require.NoError(t, c.Reset(func(*stackhop.Coro) {}))
		c.Switch()
		require.NoError(t, c.Reset(func(*stackhop.Coro) { t.Error("ran") }))
		require.NoError(t, c.Close(), "the second body was never switched to")
		require.True(t, c.Done())
	})
}
