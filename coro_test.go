package stackhop_test

import (
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/mmapstack"
)

// eachStorage runs f with a native stack and with a mapped region.
func eachStorage(t *testing.T, f func(t *testing.T, r stackhop.Region)) {
	t.Run("native", func(t *testing.T) { f(t, stackhop.Region{}) })
	t.Run("mapped", func(t *testing.T) {
		s, err := mmapstack.New(64 << 10)
		require.NoError(t, err)
		f(t, s.Region())
		require.NoError(t, s.Close())
	})
}

func TestSwitchAlternatesSides(t *testing.T) {
	eachStorage(t, func(t *testing.T, r stackhop.Region) {
		var log []int
		c, err := stackhop.New(r, func(c *stackhop.Coro) {
			for i := range 3 {
				log = append(log, i)
				c.Switch()
			}
		})
		require.NoError(t, err)
		for i := 10; !c.Done(); i++ {
			log = append(log, i)
			c.Switch()
		}
		require.Equal(t, []int{10, 0, 11, 1, 12, 2, 13}, log)
		require.ErrorIs(t, c.TrySwitch(), stackhop.ErrDone)
		require.PanicsWithError(t, stackhop.ErrDone.Error(), c.Switch)
	})
}

func TestResetReusesGoroutine(t *testing.T) {
	eachStorage(t, func(t *testing.T, r stackhop.Region) {
		c, err := stackhop.New(r, nil)
		require.NoError(t, err)
		require.True(t, c.Done())
		before := runtime.NumGoroutine()
		for i := range 1000 {
			n := 0
			require.NoError(t, c.Reset(func(c *stackhop.Coro) { n = i; c.Switch(); n++ }))
			require.ErrorIs(t, c.Reset(func(*stackhop.Coro) {}), stackhop.ErrNotDone)
			c.Switch()
			require.ErrorIs(t, c.Close(), stackhop.ErrNotDone)
			c.Switch()
			require.Equal(t, i+1, n)
			require.True(t, c.Done())
		}
		require.LessOrEqual(t, runtime.NumGoroutine(), before+1)
		require.NoError(t, c.Close())
		require.NoError(t, c.Close())
		require.ErrorIs(t, c.Reset(func(*stackhop.Coro) {}), stackhop.ErrClosed)
	})
}

func TestGoexitEndsBodyOnly(t *testing.T) {
	eachStorage(t, func(t *testing.T, r stackhop.Region) {
		for _, oneShot := range []bool{true, false} {
			deferred := 0
			body := func(c *stackhop.Coro) {
				defer func() { deferred++ }()
				c.Switch()
				func() {
					defer func() { deferred++; recover() }()
					runtime.Goexit()
				}()
				t.Error("Goexit returned")
			}
			var c *stackhop.Coro
			var err error
			if oneShot {
				c, err = stackhop.New(r, body)
			} else {
				c, err = stackhop.New(r, nil)
			}
			require.NoError(t, err)
			for range 3 {
				if !oneShot {
					require.NoError(t, c.Reset(body))
				}
				deferred = 0
				c.Switch()
				c.Switch()
				require.True(t, c.Done())
				require.True(t, c.Goexited())
				require.Equal(t, 2, deferred)
				runtime.GC()
				if oneShot {
					break
				}
			}
			require.NoError(t, c.Close())
		}
	})
}

func TestCurrentFindsTheBody(t *testing.T) {
	require.Nil(t, stackhop.Current())
	eachStorage(t, func(t *testing.T, r stackhop.Region) {
		var got, after *stackhop.Coro
		c, err := stackhop.New(r, func(c *stackhop.Coro) {
			got = stackhop.Current()
			c.Switch()
			after = stackhop.Current()
		})
		require.NoError(t, err)
		c.Switch()
		require.Nil(t, stackhop.Current())
		done := make(chan bool)
		go func() { c.Switch(); close(done) }()
		<-done
		require.Same(t, c, got)
		require.Same(t, c, after)
	})
}

func TestErrRunningFromElsewhere(t *testing.T) {
	eachStorage(t, func(t *testing.T, r stackhop.Region) {
		in, out := make(chan bool), make(chan bool)
		c, err := stackhop.New(r, func(c *stackhop.Coro) { in <- true; <-out })
		require.NoError(t, err)
		go func() { c.Switch(); close(in) }()
		<-in
		require.ErrorIs(t, c.TrySwitch(), stackhop.ErrRunning)
		out <- true
		<-in
		require.True(t, c.Done())
	})
}

func TestTransferKeepsTheOwner(t *testing.T) {
	eachStorage(t, func(t *testing.T, r stackhop.Region) {
		var log string
		var a, b *stackhop.Coro
		var err error
		a, err = stackhop.New(r, func(c *stackhop.Coro) {
			log += "a"
			require.NoError(t, c.Transfer(b))
			log += "A"
		})
		require.NoError(t, err)
		b, err = stackhop.New(stackhop.Region{}, func(c *stackhop.Coro) {
			log += "b"
			c.Switch()
			log += "B"
		})
		require.NoError(t, err)
		require.ErrorIs(t, a.Transfer(b), stackhop.ErrNotCurrent)
		a.Switch()
		log += "-"
		b.Switch()
		a.Switch()
		require.Equal(t, "ab-BA", log)
		require.True(t, a.Done() && b.Done())
	})
}

func TestThreadLock(t *testing.T) {
	eachStorage(t, func(t *testing.T, r stackhop.Region) {
		runtime.LockOSThread()
		var lockErr error
		c, err := stackhop.New(r, func(c *stackhop.Coro) {
			c.Switch()
			runtime.LockOSThread()
			lockErr = c.TrySwitch()
			runtime.UnlockOSThread()
			c.Switch()
			runtime.LockOSThread()
		})
		require.NoError(t, err)
		c.Switch()
		runtime.UnlockOSThread()
		c.Switch()
		if stackhop.Backend().Name == "asm" {
			require.ErrorIs(t, lockErr, stackhop.ErrThreadLocked)
		} else {
			require.NoError(t, lockErr)
			c.Switch()
		}
		c.Switch()
		require.True(t, c.Done())
	})
}

func TestPanicOnFaultEndsWithItsBody(t *testing.T) {
	eachStorage(t, func(t *testing.T, r stackhop.Region) {
		c, err := stackhop.New(r, nil)
		require.NoError(t, err)
		for range 2 {
			var before bool
			require.NoError(t, c.Reset(func(*stackhop.Coro) { before = debug.SetPanicOnFault(true) }))
			c.Switch()
			require.False(t, before)
		}
		require.NoError(t, c.Close())
	})
}

func TestMisuseIsRefused(t *testing.T) {
	var zero stackhop.Coro
	require.Panics(t, func() { (*stackhop.Coro)(nil).Switch() })
	require.ErrorIs(t, zero.TrySwitch(), stackhop.ErrDone)
	require.PanicsWithError(t, stackhop.ErrDone.Error(), zero.Switch)
	c, err := stackhop.New(stackhop.Region{}, func(c *stackhop.Coro) { c.Switch() })
	require.NoError(t, err)
	require.Panics(t, func() { c.Transfer(nil) })
	c.Switch()
	c.Switch()
	require.True(t, c.Done())
}
