package ctx_test

import (
	"encoding/json"
	"errors"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/guard"
	"github.com/stackhop/stackhop/resume"
)

func TestDefaultStorageIsTheRuntimesStack(t *testing.T) {
	spawn(t, func(task *ctx.Task) {
		require.Nil(t, task.Stack())
		require.Zero(t, stackhop.Current().Region())
	})
}

// R17: what a goroutine survives a task survives, whatever the depth.
func TestDefaultTaskGoesAsDeepAsAGoroutine(t *testing.T) {
	for _, in := range []struct {
		name string
		body func() error
	}{
		{"json, 320 deep", func() error { return decode(320) }},
		{"json, 6,000 deep", func() error { return decode(6000) }},
		{"json, beyond its limit", func() error {
			if err := decode(10_001); err == nil || !strings.Contains(err.Error(), "max depth") {
				return errors.New("no limit")
			}
			return nil
		}},
		{"regexp, nested repeats", func() error { _, err := regexp.Compile("x{1,52}"); return err }},
		{"recursion, 1,000,000 deep", func() error { dive(1_000_000, func() {}); return nil }},
	} {
		t.Run(in.name, func(t *testing.T) {
			if portable() && testing.Short() && strings.HasPrefix(in.name, "recursion") {
				t.Skip("short: a large stack takes long on small machines")
			}
			var err error
			task := spawn(t, func(task *ctx.Task) { err = in.body(); task.Yield(); err = errors.Join(err, in.body()) })
			finish(t, task)
			require.NoError(t, task.Err())
			require.NoError(t, err)
		})
	}
}

func decode(depth int) error {
	var v any
	return json.Unmarshal([]byte(strings.Repeat("[", depth)+strings.Repeat("]", depth)), &v)
}

// The same inputs on a stack of a given size: the body returns what a goroutine does, or
// its task alone ends, with its deferred calls run.
func TestOverflowOfASizedStackEndsTheTaskOnly(t *testing.T) {
	if portable() {
		t.Skip("portable backend: WithStackSize uses a stack of the runtime")
	}
	overflowed := 0
	for _, depth := range []int{10, 320, 6000, 10_001} {
		deferred := false
		task := spawn(t, func(*ctx.Task) {
			defer func() { deferred = true }()
			_ = decode(depth)
		}, ctx.WithStackSize(64<<10))
		require.True(t, task.Done())
		require.True(t, deferred)
		if err := task.Err(); err != nil {
			var o *guard.OverflowError
			require.ErrorAs(t, err, &o)
			overflowed++
		}
	}
	require.Positive(t, overflowed)
	require.Less(t, overflowed, 4)
}

func TestSizedStackWithoutFallback(t *testing.T) {
	task, err := ctx.Spawn(func(task *ctx.Task) { require.NotNil(t, task.Stack()) }, ctx.WithStackSize(64<<10), ctx.WithoutFallback())
	if portable() {
		require.ErrorIs(t, err, ctx.ErrOption)
		require.ErrorIs(t, err, guard.ErrTrap)
		spawn(t, func(task *ctx.Task) { require.Nil(t, task.Stack()) }, ctx.WithStackSize(64<<10))
		return
	}
	require.NoError(t, err)
	require.True(t, task.Done())
	require.NoError(t, task.Err())
}

// A cancelled task, and one that ended by Goexit, leave their goroutine to the next
// one. In a bubble that must be another.
func TestBubblesAndCancelsLeaveNoGoroutineBehind(t *testing.T) {
	rounds := 300
	if testing.Short() {
		rounds = 30
	}
	var stop atomic.Bool
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop.Store(true)
	for range 2 { // others fill the list of idle ones with what was cancelled
		wg.Go(func() {
			for !stop.Load() {
				task, err := ctx.Spawn(func(task *ctx.Task) { task.Yield() })
				if err != nil {
					panic(err)
				}
				if err := task.Cancel(nil); err != nil {
					panic(err)
				}
				runtime.Gosched()
			}
		})
	}
	for range rounds {
		for _, opts := range [][]ctx.Option{nil, {ctx.WithStackSize(32 << 10)}, {ctx.WithStrictStack(32 << 10)}} {
			synctest.Test(t, func(t *testing.T) {
				var tasks [8]*ctx.Task
				for i := range tasks {
					tasks[i] = spawn(t, func(task *ctx.Task) {
						time.Sleep(time.Millisecond)
						if i%2 == 0 {
							task.Yield()
						}
						ctx.Suspend(func(resume.Handle) {})
					}, opts...)
				}
				var wg sync.WaitGroup
				for _, task := range tasks {
					wg.Go(func() {
						time.Sleep(time.Millisecond)
						if err := task.Cancel(nil); err != nil {
							t.Error(err)
						}
					})
				}
				wg.Wait()
				never, err := ctx.New(func(*ctx.Task) { t.Error("ran") }, opts...)
				require.NoError(t, err)
				require.NoError(t, never.Cancel(nil))
			})
		}
	}
}

func goroutinesSettle(t *testing.T, want int) {
	t.Helper()
	var n int
	for range 100 {
		if n = runtime.NumGoroutine(); n <= want {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("%d goroutines, want %d", n, want)
}

func TestRetireIdleEndsEveryIdleCoroutine(t *testing.T) {
	_, err := ctx.RetireIdle()
	require.NoError(t, err)
	before := runtime.NumGoroutine()
	for _, s := range storages {
		if s.name == "own" || s.name == "static" || s.name == "carved" || s.name == "pool of one's own" {
			continue // these end with their stack
		}
		var tasks []*ctx.Task
		for range 300 {
			tasks = append(tasks, spawn(t, func(task *ctx.Task) { task.Yield() }, s.opts(t)...))
		}
		for i, task := range tasks {
			if i%3 == 0 {
				require.NoError(t, task.Cancel(nil))
			} else {
				finish(t, task)
			}
		}
	}
	if stackhop.Backend().Name == "asm" {
		require.Greater(t, runtime.NumGoroutine(), before+300, "idle coroutines are kept")
		n, err := ctx.RetireIdle()
		require.NoError(t, err)
		require.Greater(t, n, 300)
	}
	goroutinesSettle(t, before)
	finish(t, spawn(t, func(task *ctx.Task) { task.Yield() }))
}

// An auxiliary stack of guard.Grow keeps a coroutine too.
func TestRetireIdleEndsCoroutinesOfGrow(t *testing.T) {
	_, err := ctx.RetireIdle()
	require.NoError(t, err)
	before := runtime.NumGoroutine()
	for _, storage := range []ctx.Option{ctx.WithStackSize(64 << 10), ctx.WithStrictStack(64 << 10)} {
		called := false
		task := spawn(t, func(*ctx.Task) {
			if err := guard.Grow(100<<10, func() { called = true }); err != nil {
				t.Error(err)
			}
		}, storage)
		require.NoError(t, task.Err())
		require.True(t, called)
	}
	_, err = ctx.RetireIdle()
	require.NoError(t, err)
	goroutinesSettle(t, before)
}

func TestRetireIdleWhileTasksRun(t *testing.T) {
	var stop atomic.Bool
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for i := 0; !stop.Load(); i++ {
				opts := storages[i%4].opts(t)
				task, err := ctx.Spawn(func(task *ctx.Task) { task.Yield() }, opts...)
				if err == nil {
					err = task.Resume()
				}
				if err != nil || !task.Done() {
					panic(err)
				}
			}
		})
	}
	for range 200 {
		_, err := ctx.RetireIdle()
		require.NoError(t, err)
	}
	stop.Store(true)
	wg.Wait()
}

func TestIdleCoroutinesAreBoundedByBytes(t *testing.T) {
	if portable() {
		t.Skip("portable backend: no coroutine is kept")
	}
	_, err := ctx.RetireIdle()
	require.NoError(t, err)
	defer ctx.SetIdleLimit(ctx.SetIdleLimit(1 << 20))
	before := runtime.NumGoroutine()
	burst := func(n, depth int) {
		tasks := make([]*ctx.Task, n)
		for i := range tasks {
			tasks[i] = spawn(t, func(task *ctx.Task) { dive(depth, func() {}); task.Yield() })
		}
		for _, task := range tasks {
			finish(t, task)
		}
	}
	slots := 4*runtime.GOMAXPROCS(0) + 64
	burst(2000, 1)
	kept := runtime.NumGoroutine() - before
	require.Greater(t, kept, 50, "small ones are kept")
	require.LessOrEqual(t, kept, 1<<20/3072+slots, "a stack of 2 KiB and its bookkeeping, each")
	burst(200, 5000) // stacks of 256 KiB and more
	kept = runtime.NumGoroutine() - before
	require.LessOrEqual(t, kept, 1<<20/3072+slots)

	require.Equal(t, 1<<20, ctx.SetIdleLimit(-1))
	goroutinesSettle(t, before+slots)
	burst(200, 1)
	goroutinesSettle(t, before+slots)
	ctx.SetIdleLimit(1 << 20)
}
