package tests

import (
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/internal/testsupport"
	"github.com/stackhop/stackhop/resume"
)

// handleThreads is how many threads use handles at the same time.
const handleThreads = 8

// many is a number of handle operations for a long test: all of them, and fewer
// with -short, on the portable backend and where tests are slow.
func many(all int) int {
	n := all
	if testing.Short() {
		n /= 100
	}
	if !asm() {
		n /= 20
	}
	return testsupport.Scale(n)
}

// onThreads runs f on goroutines of a thread each, and waits for them.
func onThreads(f func(i int)) {
	procs := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(procs)
	runtime.GOMAXPROCS(max(procs, handleThreads))
	var wg sync.WaitGroup
	for i := range handleThreads {
		wg.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			f(i)
		})
	}
	wg.Wait()
}

// staleHandles makes handles that are stale, each for a reason of its own. What
// they stood for serves again: live is a task's newest handle, of the same slot
// as the others where that is possible.
func staleHandles(t *testing.T) (stale []resume.Handle, live *resume.Handle) {
	t.Helper()
	var h resume.Handle
	keep := func(own resume.Handle) { h = own }
	add := func() { stale = append(stale, h) }

	stale = append(stale, resume.Handle{}) // the zero handle

	spawn(t, func(*ctx.Task) { ctx.Suspend(keep) })
	add()
	require.NoError(t, h.Resume()) // used, and its task has ended

	task := spawn(t, func(*ctx.Task) { ctx.Suspend(keep) })
	add()
	require.NoError(t, task.Cancel(nil)) // cancelled
	require.NoError(t, task.Free())      // and its Task may serve again

	for range 3 {
		task = spawn(t, func(*ctx.Task) { ctx.Suspend(keep) })
		add()
		require.NoError(t, h.Resume())
		require.NoError(t, task.Free())
	}

	next := true
	task = spawn(t, func(*ctx.Task) {
		for next {
			ctx.Suspend(keep)
		}
	})
	for range 5 {
		add()
		require.NoError(t, h.Resume()) // used, and suspended again
	}
	require.True(t, h.Live())
	t.Cleanup(func() {
		next = false
		require.NoError(t, h.Resume())
		require.True(t, task.Done())
	})
	return stale, &h
}

// R6: a handle outlives its suspension harmlessly.
func TestStaleHandlesAreRejectedTenMillionTimes(t *testing.T) {
	stale, live := staleHandles(t)
	newest := *live
	n := many(10_000_000)
	for i := range n {
		h := stale[i%len(stale)]
		if err := h.Resume(); !errors.Is(err, resume.ErrStale) {
			t.Fatalf("stale handle %d, try %d: %v", i%len(stale), i, err)
		}
		if h.Live() {
			t.Fatalf("stale handle %d is live", i%len(stale))
		}
	}
	require.True(t, newest.Live(), "nobody else's handle was used up")
	t.Logf("%d stale resumes on one thread", n)
}

// The same from many threads, while one of them uses the same slot's live handles.
func TestStaleHandlesAreRejectedTenMillionTimesByManyThreads(t *testing.T) {
	stale, live := staleHandles(t)
	n := many(10_000_000) / handleThreads
	var stop atomic.Bool
	var rearmed int
	ran := make(chan struct{})
	go func() {
		defer close(ran)
		for !stop.Load() {
			h := *live
			if err := h.Resume(); err != nil {
				t.Errorf("the live handle: %v", err)
				return
			}
			rearmed++
			if err := h.Resume(); !errors.Is(err, resume.ErrStale) {
				t.Errorf("a handle just used: %v", err)
				return
			}
			runtime.Gosched()
		}
	}()
	onThreads(func(thread int) {
		for i := range n {
			if err := stale[(i+thread)%len(stale)].Resume(); !errors.Is(err, resume.ErrStale) {
				t.Errorf("stale handle %d, try %d: %v", (i+thread)%len(stale), i, err)
				return
			}
		}
	})
	stop.Store(true)
	<-ran
	t.Logf("%d stale resumes on %d threads; meanwhile %d live ones", n*handleThreads, handleThreads, rearmed)
}

// Every thread tries every handle of a task once: exactly one wins each.
func TestContendedHandlesHaveOneWinner(t *testing.T) {
	rounds := many(1_000_000)
	handles := make([]resume.Handle, rounds)
	winners := make([]atomic.Uint32, rounds)
	var published atomic.Int64 // handles that are there
	next := 0                  // guarded by the handles
	task := spawn(t, func(*ctx.Task) {
		publish := func(h resume.Handle) {
			handles[next] = h
			next++
			published.Add(1)
		}
		for range rounds {
			ctx.Suspend(publish)
		}
	})
	var stale atomic.Int64
	onThreads(func(int) {
		for i := range rounds {
			for published.Load() <= int64(i) {
				runtime.Gosched() // the winner of the one before is about to
			}
			switch err := handles[i].Resume(); {
			case err == nil:
				winners[i].Add(1)
			case errors.Is(err, resume.ErrStale):
				stale.Add(1)
			default:
				t.Errorf("handle %d: %v", i, err)
				return
			}
		}
	})
	for i := range winners {
		if n := winners[i].Load(); n != 1 {
			t.Fatalf("handle %d has %d winners", i, n)
		}
	}
	require.EqualValues(t, rounds*(handleThreads-1), stale.Load())
	require.True(t, task.Done())
	require.NoError(t, task.Err())
	t.Logf("%d handles, each tried by %d threads", rounds, handleThreads)
}
