package pull_test

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/internal/testsupport"
	"github.com/stackhop/stackhop/pull"
)

func lockThread() { runtime.LockOSThread() }

// Made while the main goroutine is locked to its thread, as in every init.
var initNext, initStop = pull.Pull(count(1 << 20))

var initStopped bool

func TestMadeInInitUsedLater(t *testing.T) {
	if !asm() {
		t.Skip("iter.Pull ends the process then")
	}
	if initStopped {
		t.Skip("an earlier run, of several, has used up what init made")
	}
	initStopped = true
	defer initStop()
	for i := range 100 {
		if i%10 == 5 {
			runtime.GC() // the slow path, where the runtime compares locks
		}
		v, ok := initNext()
		require.True(t, ok)
		require.Equal(t, i, v)
	}
}

func TestConsumerLockedToItsThread(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for _, s := range standIns(t) {
		next, stop := s.pull(func(yield func(int) bool) {
			for i := 0; ; i++ {
				runtime.LockOSThread() // balanced
				runtime.UnlockOSThread()
				if !yield(i) {
					return
				}
			}
		})
		for i := range 10 {
			v, ok := next()
			require.True(t, ok)
			require.Equal(t, i, v, s.name)
		}
		stop()
	}
}

func TestInsideABubble(t *testing.T) {
	all := standIns(t)
	synctest.Test(t, func(t *testing.T) {
		for _, s := range all {
			next, stop := s.pull(func(yield func(int) bool) {
				for i := 0; yield(i); i++ {
					time.Sleep(time.Hour) // bubble time
				}
			})
			for i := range 5 {
				v, ok := next()
				require.True(t, ok)
				require.Equal(t, i, v, s.name)
			}
			stop()
		}
	})
}

func TestMadeOutsideABubbleUsedInside(t *testing.T) {
	if !asm() {
		t.Skip("iter.Pull ends the process then")
	}
	for _, s := range standIns(t) {
		next, stop := s.pull(count(3))
		next()
		synctest.Test(t, func(t *testing.T) {
			for _, call := range []func(){func() { next() }, stop} {
				func() {
					defer func() {
						err, _ := recover().(error)
						require.ErrorIs(t, err, stackhop.ErrBubble)
					}()
					call()
				}()
			}
		})
		v, ok := next()
		require.True(t, ok)
		require.Equal(t, 1, v, "it goes on outside")
		stop()
	}
}

func TestNestedAThousandDeep(t *testing.T) {
	for _, s := range standIns(t) {
		depth := 1000
		if s.name == "pull.PullOn" {
			depth = 100 // a mapping each
		}
		seq := count(5)
		for range depth {
			inner := seq
			seq = func(yield func(int) bool) {
				next, stop := s.pull(inner)
				defer stop()
				for v, ok := next(); ok && yield(v+1); v, ok = next() {
				}
			}
		}
		next, stop := s.pull(seq)
		for i := range 3 {
			v, ok := next()
			require.True(t, ok)
			require.Equal(t, i+depth, v, s.name)
		}
		runtime.GC()
		stop() // all the way down
	}
}

func TestHundredThousandAlive(t *testing.T) {
	n := testsupport.Scale(100_000)
	if testsupport.Race {
		n = 5000 // the race detector ends the process at 8128 goroutines
	}
	for _, s := range standIns(t)[:1] {
		nexts := make([]func() (int, bool), n)
		stops := make([]func(), n)
		for i := range n {
			nexts[i], stops[i] = s.pull(func(yield func(int) bool) {
				for j := i; yield(j); j++ {
				}
			})
			nexts[i]()
		}
		runtime.GC()
		for i, next := range nexts {
			v, ok := next()
			require.True(t, ok)
			require.Equal(t, i+1, v)
		}
		for _, stop := range stops {
			stop()
		}
	}
}

func TestDeepRecursionInTheIterator(t *testing.T) {
	var walk func(depth int, yield func(int) bool) bool
	walk = func(depth int, yield func(int) bool) bool {
		return yield(depth) && (depth == 0 || walk(depth-1, yield))
	}
	depth := testsupport.Scale(200_000) // some 20 MiB of stack
	next, stop := pull.Pull(func(yield func(int) bool) { walk(depth, yield) })
	defer stop()
	for i := range depth + 1 {
		v, ok := next()
		require.True(t, ok)
		require.Equal(t, depth-i, v)
		if i%(depth/4) == 0 {
			runtime.GC()
		}
	}
	_, ok := next()
	require.False(t, ok)
}

func TestUnderTheCollectorAndAProfile(t *testing.T) {
	stopGC := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-stopGC:
				return
			default:
				runtime.GC()
				debug.FreeOSMemory()
			}
		}
	}()
	var profile bytes.Buffer
	require.NoError(t, pprof.StartCPUProfile(&profile))
	for _, s := range standIns(t) {
		next, stop := s.pull(func(yield func(int) bool) {
			for i := 0; ; i++ {
				p := &i
				if !yield(*p) {
					return
				}
			}
		})
		for i := range testsupport.Scale(200_000) {
			v, ok := next()
			if !ok || v != i {
				t.Fatalf("%s: got %d %v, want %d", s.name, v, ok, i)
			}
		}
		stop()
	}
	pprof.StopCPUProfile()
	close(stopGC)
	<-ended
	require.NotZero(t, profile.Len())
}

func TestLabelsAreInherited(t *testing.T) {
	for _, s := range standIns(t) {
		pprof.Do(context.Background(), pprof.Labels("who", s.name), func(context.Context) {
			var dump bytes.Buffer
			next, stop := s.pull(func(yield func(int) bool) {
				require.NoError(t, pprof.Lookup("goroutine").WriteTo(&dump, 1))
				yield(1)
			})
			next()
			stop()
			line := fmt.Sprintf("# labels: {\"who\":\"%s\"}", s.name)
			require.GreaterOrEqual(t, strings.Count(dump.String(), line), 1, s.name)
		})
	}
}

func TestElementsDoNotAllocate(t *testing.T) {
	if !asm() {
		t.Skip("the portable backend is the runtime's business")
	}
	next, stop := pull.Pull(naturals)
	defer stop()
	require.Zero(t, testing.AllocsPerRun(1000, func() { next() }))
	next2, stop2 := pull.Pull2(iter.Seq2[int, string](squares))
	defer stop2()
	require.Zero(t, testing.AllocsPerRun(1000, func() { next2() }))
}

func TestHammerOnManyThreads(t *testing.T) {
	for _, s := range standIns(t) {
		if s.name == "pull.PullOn" {
			continue // its stacks are one consumer's
		}
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				for i := range testsupport.Scale(300) {
					next, stop := s.pull(evens(s.pull, 40))
					for v := 0; v < i%50; v += 2 {
						if got, ok := next(); ok != (v < 40) || ok && got != v {
							t.Errorf("%s: got %d %v, want %d", s.name, got, ok, v)
						}
						runtime.Gosched()
					}
					if i%16 == 0 {
						runtime.GC()
					}
					stop()
				}
			})
		}
		group.Wait()
	}
}
