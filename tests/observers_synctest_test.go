package tests

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stretchr/testify/require"
)

func TestH13InsideABubble(t *testing.T) {
	eachStorage(t, func(t *testing.T, st storage) {
		synctest.Test(t, func(t *testing.T) {
			begin := time.Now()
			var stamps []time.Duration
			c := st.coro(t, func(c *stackhop.Coro) {
				for range 3 {
					time.Sleep(time.Hour) // in the bubble's time
					stamps = append(stamps, time.Since(begin))
					c.Switch()
				}
			})
			woken := make(chan int)
			go func() { time.Sleep(90 * time.Minute); woken <- 1 }()
			n := drain(func() bool { c.Switch(); return c.Done() }, func() {
				look()
				if len(stamps) == 1 {
					<-woken
				}
				synctest.Wait()
			})
			require.Equal(t, 3, n)
			require.Equal(t, []time.Duration{time.Hour, 150 * time.Minute, 210 * time.Minute}, stamps)
		})
	})
}

func TestH13TasksInsideABubble(t *testing.T) {
	for range 3 { // what a bubble made does not come back in the next one
		for _, o := range taskOptions {
			t.Run(o.name, func(t *testing.T) {
				outside := spawn(t, func(t *ctx.Task) { t.Yield() }, o.opt)
				require.NoError(t, outside.Resume())
				synctest.Test(t, func(t *testing.T) {
					begin := time.Now()
					task := spawn(t, func(t *ctx.Task) {
						time.Sleep(time.Minute)
						t.Yield()
						time.Sleep(time.Minute)
					}, o.opt)
					require.NoError(t, task.Resume())
					require.True(t, task.Done())
					require.NoError(t, task.Err())
					require.Equal(t, 2*time.Minute, time.Since(begin))
				})
			})
		}
	}
}

// A coroutine belongs to the bubble that it was made in, or to none. A switch
// across the border is refused on either side of it, and nothing happens.
func TestH13AcrossABubblesBorder(t *testing.T) {
	needAsm(t) // else the runtime ends the process itself, with a clear message
	eachStorage(t, func(t *testing.T, st storage) {
		outside := st.coro(t, func(c *stackhop.Coro) { c.Switch() })
		outside.Switch()
		if st.name == "static" {
			st = storages[0] // the one static stack is taken
		}
		ask, answer := make(chan *stackhop.Coro), make(chan error)
		go func() {
			for c := range ask {
				answer <- c.TrySwitch()
			}
		}()
		defer close(ask)
		synctest.Test(t, func(t *testing.T) {
			require.ErrorIs(t, outside.TrySwitch(), stackhop.ErrBubble)
			inside := st.coro(t, func(c *stackhop.Coro) { c.Switch() })
			ask <- inside
			require.ErrorIs(t, <-answer, stackhop.ErrBubble, "fresh")
			inside.Switch()
			ask <- inside
			require.ErrorIs(t, <-answer, stackhop.ErrBubble, "suspended")
			require.False(t, inside.Done())
			inside.Switch()
			require.True(t, inside.Done())
		})
		require.False(t, outside.Done())
		outside.Switch()
	})
}

func TestInBubble(t *testing.T) {
	require.False(t, stackhop.InBubble())
	known := false
	synctest.Test(t, func(*testing.T) { known = stackhop.InBubble() })
	if !known {
		require.False(t, asm())
		t.Skipf("not known here: %s", stackhop.Backend().Reason)
	}
}
