package ctx_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/ctx"
)

// dirty locks the thread, changes it for good, and returns its number.
func dirty() int {
	runtime.LockOSThread()
	_ = unix.Prctl(unix.PR_SET_NAME, uintptr(nameOfDirty()), 0, 0, 0)
	return unix.Gettid()
}

// isDirty reports whether thread tid is there, and dirty.
func isDirty(tid int) bool {
	name, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/comm", tid))
	return err == nil && strings.TrimSpace(string(name)) == dirtyName
}

// onDirty reports whether the caller is on a dirty thread. It locks the thread meanwhile:
// otherwise the goroutine might be on another thread when it looks.
func onDirty() bool {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return isDirty(unix.Gettid())
}

// requireEnds waits until a dirty thread is gone. The main one is never: it is parked.
func requireEnds(t *testing.T, tid int) {
	t.Helper()
	if tid == unix.Getpid() {
		return
	}
	for range 3000 {
		if !isDirty(tid) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("thread %d is still there", tid)
}

// A thread that a body has locked and changed serves no other goroutine after the body:
// it ends, as if the body had been a goroutine, and the owner goes on on another thread.
func TestAThreadThatABodyKeepsLockedEndsWithIt(t *testing.T) {
	ends := map[string]struct {
		body func()
		err  error
	}{
		"returns":      {func() {}, nil},
		"calls Goexit": {runtime.Goexit, ctx.ErrGoexit},
		"panics":       {func() { panic(errWhy) }, errWhy},
	}
	onEach(t, func(t *testing.T, opts []ctx.Option) {
		for name, end := range ends {
			for range 3 {
				var tid int
				task := spawn(t, func(*ctx.Task) {
					tid = dirty()
					end.body()
				}, opts...)
				require.True(t, task.Done())
				if end.err == nil {
					require.NoError(t, task.Err(), name)
				} else {
					require.ErrorIs(t, task.Err(), end.err, name)
				}
				require.False(t, onDirty(), "%s: the owner goes on on the thread", name)
				requireEnds(t, tid)

				// After a suspension, resumed by another goroutine; then the storage serves on.
				task = spawn(t, func(task *ctx.Task) {
					task.Yield()
					tid = dirty()
					end.body()
				}, opts...)
				elsewhere(func() {
					require.NoError(t, task.Resume())
					require.False(t, onDirty())
				})
				require.True(t, task.Done())
				requireEnds(t, tid)
				require.NoError(t, spawn(t, func(*ctx.Task) {}, opts...).Err())
			}
		}
	})
}

// Where the owner is a task itself, and in a bubble.
func TestAThreadEndsUnderAnOwnerThatIsATask(t *testing.T) {
	var tids []int
	check := func() {
		var tid int
		task := spawn(t, func(*ctx.Task) { tid = dirty() })
		require.NoError(t, task.Err())
		require.False(t, onDirty())
		tids = append(tids, tid)
	}
	outer := spawn(t, func(task *ctx.Task) {
		check()
		task.Yield()
		check()
	})
	require.NoError(t, outer.Resume())
	require.NoError(t, outer.Err())
	synctest.Test(t, func(*testing.T) { check() })
	for _, tid := range tids {
		requireEnds(t, tid)
	}
}

// An owner that is locked to the thread itself keeps it, and is told.
func TestALockedOwnerKeepsTheThreadThatABodyHasLocked(t *testing.T) {
	if portable() {
		t.Skip("portable backend: a body has a thread to itself")
	}
	elsewhere(func() { // on a goroutine that takes its thread with it when it ends
		runtime.LockOSThread()
		tid := unix.Gettid()
		task := spawn(t, func(*ctx.Task) { runtime.LockOSThread() })
		var le *stackhop.ThreadLockError
		require.ErrorAs(t, task.Err(), &le)
		require.Equal(t, 1, le.External)
		require.Equal(t, tid, unix.Gettid())
	})
}

// Many at once, with the collector at work.
func TestThreadsEndOnManyGoroutinesAtOnce(t *testing.T) {
	n := 200
	if testing.Short() || raceEnabled {
		n = 20
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range n {
				task, err := ctx.Spawn(func(task *ctx.Task) {
					task.Yield()
					dirty()
				})
				if err != nil {
					t.Error(err)
					return
				}
				if i%16 == 0 {
					runtime.GC()
				}
				if err := task.Resume(); err != nil || task.Err() != nil || onDirty() {
					t.Error(err, task.Err(), "or on the dirty thread")
					return
				}
			}
		})
	}
	wg.Wait()
}
