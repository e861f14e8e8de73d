package sched_test

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
	"github.com/stackhop/stackhop/sched"
)

func TestLoopKeepsTheOrderOfPosts(t *testing.T) {
	l := sched.NewLoop()
	var order []int
	for i := range 100 {
		if i%2 == 0 {
			require.NoError(t, l.Do(func() { order = append(order, i) }))
			continue
		}
		require.NoError(t, l.Go(func(task *ctx.Task) {
			order = append(order, i)
			require.NoError(t, l.Yield(task))
			order = append(order, 100+i)
		}))
	}
	require.Equal(t, 50, l.Stats().Tasks)
	require.Equal(t, 100, l.Stats().Queued)
	require.NoError(t, l.RunUntilIdle())
	require.Len(t, order, 150)
	for i := range 100 {
		require.Equal(t, i, order[i])
	}
	for i := range 50 {
		require.Equal(t, 100+2*i+1, order[100+i])
	}
}

func TestStop(t *testing.T) {
	t.Run("before Run", func(t *testing.T) {
		l := sched.NewLoop()
		ran := false
		require.NoError(t, l.Do(func() { ran = true }))
		l.Stop()
		l.Stop()
		require.NoError(t, l.Run())
		require.False(t, ran)
		require.NoError(t, l.RunUntilIdle(), "one run has used it up")
		require.True(t, ran)
	})
	t.Run("in the middle", func(t *testing.T) {
		l := sched.NewLoop()
		var ran []int
		for i := range 4 {
			require.NoError(t, l.Do(func() {
				ran = append(ran, i)
				if i == 1 {
					l.Stop()
				}
			}))
		}
		require.NoError(t, l.Run())
		require.Equal(t, []int{0, 1}, ran)
		require.Equal(t, 2, l.Stats().Queued)
		require.NoError(t, l.RunUntilIdle())
		require.Equal(t, []int{0, 1, 2, 3}, ran)
	})
	t.Run("while it sleeps", func(t *testing.T) {
		for range scale(2000) {
			l := sched.NewLoop()
			done := make(chan error)
			go func() { done <- l.Run() }()
			l.Stop()
			require.NoError(t, <-done)
		}
	})
}

func TestDrainReturnsWhenTheLastTaskEnds(t *testing.T) {
	t.Run("on the loop", func(t *testing.T) {
		l := sched.NewLoop()
		var ended int
		for range 10 {
			require.NoError(t, l.Go(func(task *ctx.Task) { _ = l.Yield(task); ended++ }))
		}
		require.NoError(t, l.Drain())
		require.Equal(t, 10, ended)
		require.NoError(t, l.Drain(), "nothing to wait for")
	})
	t.Run("cancelled from another goroutine", func(t *testing.T) {
		for range scale(500) {
			l := sched.NewLoop()
			self := make(chan *ctx.Task, 1)
			require.NoError(t, l.Go(func(task *ctx.Task) {
				var k leaf
				self <- task
				k.wait(t)
			}))
			var wg sync.WaitGroup
			wg.Go(func() { _ = (<-self).Cancel(errWhy) })
			require.NoError(t, l.Drain())
			wg.Wait()
		}
	})
}

// Posts from many goroutines while the loop sleeps, works, and goes to sleep: none
// is lost, each runs once, and on one goroutine at a time.
func TestPostsFromOtherGoroutines(t *testing.T) {
	const posters = 4
	rounds := scale(20_000)
	l := sched.NewLoop()
	ran := 0 // not guarded but by the loop
	done := make(chan error)
	go func() { done <- l.Run() }()
	var wg sync.WaitGroup
	for range posters {
		wg.Go(func() {
			for i := range rounds {
				if err := l.Do(func() { ran++ }); err != nil {
					t.Error(err)
				}
				if i%64 == 0 {
					runtime.Gosched() // let it fall asleep
				}
			}
		})
	}
	wg.Wait()
	require.NoError(t, l.Do(l.Stop))
	require.NoError(t, <-done)
	require.Equal(t, posters*rounds, ran)
	require.EqualValues(t, posters*rounds+1, l.Stats().Ran)
}

// One post at a time, each when the loop is about to sleep.
func TestNoWakeUpOfALoopIsLost(t *testing.T) {
	l := sched.NewLoop()
	done := make(chan error)
	go func() { done <- l.Run() }()
	ran := make(chan struct{}, 1)
	for range scale(20_000) {
		require.NoError(t, l.Do(func() { ran <- struct{}{} }))
		<-ran
	}
	l.Stop()
	require.NoError(t, <-done)
}

func TestAPanicOfDoIsRunsAndTheLoopGoesOnAfterIt(t *testing.T) {
	l := sched.NewLoop()
	ran := false
	require.NoError(t, l.Do(func() { panic(errWhy) }))
	require.NoError(t, l.Do(func() { ran = true }))
	require.PanicsWithValue(t, errWhy, func() { _ = l.Run() })
	require.Equal(t, 1, l.Stats().Queued)
	require.NoError(t, l.RunUntilIdle())
	require.True(t, ran)
}

func TestALoopInsideATaskOfAnother(t *testing.T) {
	outer, inner := sched.NewLoop(), sched.NewLoop()
	var order []string
	require.NoError(t, inner.Go(func(task *ctx.Task) {
		order = append(order, "inner")
		require.NoError(t, sched.On(outer, task))
		order = append(order, "inner, on outer")
	}))
	require.NoError(t, outer.Go(func(*ctx.Task) {
		require.NoError(t, inner.RunUntilIdle())
		order = append(order, "outer")
	}))
	require.NoError(t, outer.Drain())
	require.Equal(t, []string{"inner", "outer", "inner, on outer"}, order)
}

// refusesBubble skips where nothing can tell a bubble.
func refusesBubble(t *testing.T) {
	in := false
	synctest.Test(t, func(*testing.T) { in = stackhop.InBubble() })
	if !in {
		t.Skip("this backend cannot tell bubbles apart")
	}
}

// A handle that the goroutine of a scheduler cannot resume is kept: here, one of a
// testing/synctest bubble that the scheduler does not belong to.
func TestARefusedHandleIsNotLost(t *testing.T) {
	refusesBubble(t)
	serveOutsider(t)
	onEach(t, func(t *testing.T, s subject) {
		synctest.Test(t, func(t *testing.T) {
			var l leaf
			task := spawn(t, func(*ctx.Task) { l.wait(t) })
			require.NoError(t, s.Post(l.h))
			outside(s.settle)
			require.EqualValues(t, 1, s.Stats().Refused)
			refused := s.Refused()
			require.Len(t, refused, 1)
			require.ErrorIs(t, refused[0].Err, stackhop.ErrBubble)
			require.Empty(t, s.Refused())
			require.True(t, refused[0].Handle.Live())
			require.NoError(t, refused[0].Handle.Resume())
			require.True(t, task.Done())
		})
	})
}

// outside calls f on a goroutine that is in no bubble: the caller may be in one.
func outside(f func()) {
	var done atomic.Bool
	outsider <- func() { f(); done.Store(true) }
	for !done.Load() {
		runtime.Gosched()
	}
}

var outsider = make(chan func())

// serveOutsider runs what outside asks for, until the test ends.
func serveOutsider(t *testing.T) {
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	go func() {
		for {
			select {
			case f := <-outsider:
				f()
			case <-stop:
				return
			}
		}
	}()
}

func TestTheNextRunTriesWhatWasRefused(t *testing.T) {
	refusesBubble(t)
	serveOutsider(t)
	l := sched.NewLoop()
	synctest.Test(t, func(t *testing.T) {
		var k leaf
		task := spawn(t, func(*ctx.Task) { k.wait(t) })
		require.NoError(t, l.Post(k.h))
		outside(func() { require.NoError(t, l.RunUntilIdle()) })
		require.False(t, task.Done())
		require.NoError(t, l.RunUntilIdle(), "inside")
		require.True(t, task.Done())
		require.Empty(t, l.Refused())
		require.ErrorIs(t, k.h.Resume(), resume.ErrStale)
	})
}
