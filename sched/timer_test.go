package sched_test

import (
	"math"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/sched"
)

// inBubble runs test where time is what the test says.
func inBubble(t *testing.T, test func(t *testing.T, l *sched.Loop)) {
	synctest.Test(t, func(t *testing.T) { test(t, sched.NewLoop()) })
}

func TestSleepersWakeInTheOrderOfTheirTimes(t *testing.T) {
	inBubble(t, func(t *testing.T, l *sched.Loop) {
		start := time.Now()
		var woke []time.Duration
		for _, d := range []time.Duration{5, 1, 4, 1, 3, 0, -1, 2} {
			require.NoError(t, l.Go(func(task *ctx.Task) {
				require.NoError(t, l.Sleep(task, d*time.Hour))
				require.Equal(t, max(d, 0)*time.Hour, time.Since(start))
				woke = append(woke, d)
			}))
		}
		require.NoError(t, l.Drain())
		require.Equal(t, []time.Duration{0, -1, 1, 1, 2, 3, 4, 5}, woke)
		require.Zero(t, l.Stats().Timers)
	})
}

func TestAfterFuncStopAndReset(t *testing.T) {
	inBubble(t, func(t *testing.T, l *sched.Loop) {
		var called []string
		timer := func(name string, d time.Duration) *sched.Timer {
			made, err := l.AfterFunc(d, func() { called = append(called, name) })
			require.NoError(t, err)
			return made
		}
		a, b, c := timer("a", time.Hour), timer("b", 2*time.Hour), timer("c", 3*time.Hour)
		timer("never", math.MaxInt64)
		timer("now", 0)
		require.Equal(t, 5, l.Stats().Timers)
		require.True(t, b.Stop())
		require.False(t, b.Stop())
		require.True(t, a.Reset(4*time.Hour))
		timer("stop", 5*time.Hour).Reset(5 * time.Hour)
		go func() {
			time.Sleep(5*time.Hour + 1)
			l.Stop()
		}()
		require.NoError(t, l.Run())
		require.Equal(t, []string{"now", "c", "a", "stop"}, called)
		require.False(t, c.Reset(0), "it has called, and does again")
		require.NoError(t, l.RunUntilIdle())
		require.Equal(t, []string{"now", "c", "a", "stop", "c"}, called)
		require.Equal(t, 1, l.Stats().Timers)
	})
}

func TestRunUntilIdleDoesNotWaitForTimers(t *testing.T) {
	inBubble(t, func(t *testing.T, l *sched.Loop) {
		woke := false
		require.NoError(t, l.Go(func(task *ctx.Task) {
			require.NoError(t, l.Sleep(task, time.Minute))
			woke = true
		}))
		require.NoError(t, l.RunUntilIdle())
		require.False(t, woke)
		time.Sleep(time.Minute)
		require.NoError(t, l.RunUntilIdle())
		require.True(t, woke)
	})
}

func TestAnEarlierTimerEndsTheLoopsSleep(t *testing.T) {
	inBubble(t, func(t *testing.T, l *sched.Loop) {
		start := time.Now()
		require.NoError(t, l.Go(func(task *ctx.Task) { _ = l.Sleep(task, time.Hour) }))
		go func() {
			time.Sleep(time.Minute) // the loop sleeps for an hour
			_, err := l.AfterFunc(time.Minute, l.Stop)
			require.NoError(t, err)
		}()
		require.NoError(t, l.Run())
		require.Equal(t, 2*time.Minute, time.Since(start))
		require.NoError(t, l.Drain())
		require.Equal(t, time.Hour, time.Since(start))
	})
}

func TestCancelOfASleeper(t *testing.T) {
	inBubble(t, func(t *testing.T, l *sched.Loop) {
		start := time.Now()
		var self [3]*ctx.Task
		for i := range self {
			require.NoError(t, l.Go(func(task *ctx.Task) {
				self[i] = task
				_ = l.Sleep(task, time.Duration(i+1)*time.Hour)
			}))
		}
		require.NoError(t, l.RunUntilIdle())
		require.Equal(t, 3, l.Stats().Timers)
		require.NoError(t, self[2].Cancel(errWhy))
		require.NoError(t, self[0].Cancel(errWhy))
		require.Equal(t, 1, l.Stats().Timers)
		require.NoError(t, l.Drain())
		require.Equal(t, 2*time.Hour, time.Since(start))
		require.ErrorIs(t, self[0].Err(), errWhy)
		require.NoError(t, self[1].Err())
	})
}

// Sleeps, resets, stops and cancels at random, on the fake clock, against a list
// of who is to wake when.
func TestSleepersAgainstModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		type plan struct {
			ds     []time.Duration // sleeps, one after another
			cancel time.Duration   // when it is cancelled; 0: never
		}
		hours := rapid.IntRange(1, 5)
		plans := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) plan {
			p := plan{cancel: time.Duration(rapid.IntRange(0, 8).Draw(rt, "cancel"))*time.Hour + time.Minute}
			if p.cancel == time.Minute {
				p.cancel = 0
			}
			for range rapid.IntRange(1, 3).Draw(rt, "sleeps") {
				p.ds = append(p.ds, time.Duration(hours.Draw(rt, "hours"))*time.Hour)
			}
			return p
		}), 1, 10).Draw(rt, "plans")

		var want, got []time.Duration
		for _, p := range plans {
			at := time.Duration(0)
			for _, d := range p.ds {
				if at += d; p.cancel == 0 || at < p.cancel {
					want = append(want, at)
				}
			}
		}
		slices.Sort(want)
		inBubble(t, func(_ *testing.T, l *sched.Loop) {
			start := time.Now()
			for _, p := range plans {
				require.NoError(rt, l.Go(func(task *ctx.Task) {
					if p.cancel != 0 {
						_, err := l.AfterFunc(p.cancel, func() { _ = task.Cancel(errWhy) })
						require.NoError(rt, err)
					}
					for _, d := range p.ds {
						require.NoError(rt, l.Sleep(task, d))
						got = append(got, time.Since(start))
					}
				}))
			}
			require.NoError(rt, l.Drain())
		})
		require.Equal(rt, want, got)
	})
}

// Real time, several goroutines that cancel, and the collector.
func TestSleepersUnderFire(t *testing.T) {
	l := sched.NewLoop()
	const sleepers = 200
	rounds := scale(50)
	var woke int // the loop's
	var wg sync.WaitGroup
	for i := range sleepers {
		self := make(chan *ctx.Task, 1)
		require.NoError(t, l.Go(func(task *ctx.Task) {
			self <- task
			for r := range rounds {
				_ = l.Sleep(task, time.Duration((i*7+r*13)%40)*time.Microsecond)
				woke++
			}
		}))
		if i%4 == 0 {
			wg.Go(func() {
				task := <-self
				for range i {
					runtime.Gosched()
				}
				_ = task.Cancel(errWhy)
			})
		}
	}
	stop := make(chan struct{})
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				runtime.GC()
			}
		}
	})
	require.NoError(t, l.Drain())
	close(stop)
	wg.Wait()
	require.GreaterOrEqual(t, woke, sleepers/4*3*rounds)
	require.Zero(t, l.Stats().Timers)
	require.Zero(t, l.Stats().Tasks)
}
