package ctx_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/ctx"
)

// leaks returns the names of leaked tasks that begin with the test's, sorted and
// without that.
func leaks(t testing.TB) []string {
	t.Helper()
	infos, err := ctx.Leaks()
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	require.NoError(t, err)
	names := []string{}
	for _, info := range infos {
		if name, ok := strings.CutPrefix(info.Name, t.Name()+" "); ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// elsewhere calls f on a goroutine that has ended when it returns, and with it
// every variable of f.
func elsewhere(f func()) {
	c := make(chan struct{})
	go func() {
		defer close(c)
		f()
	}()
	<-c
}

// abandoned is for the tasks of a test that nothing refers to: they are cancelled
// at its end.
type abandoned struct {
	t     testing.TB
	tasks []hidden
}

func abandon(t testing.TB) *abandoned {
	a := &abandoned{t: t}
	t.Cleanup(func() {
		for _, h := range a.tasks {
			require.NoError(t, h.task().Cancel(nil))
		}
	})
	return a
}

func (a *abandoned) spawn(name string, body func(*ctx.Task), opts ...ctx.Option) *ctx.Task {
	task := spawn(a.t, body, append(opts, ctx.WithName(a.t.Name()+" "+name))...)
	a.tasks = append(a.tasks, hide(task))
	return task
}

func yields(task *ctx.Task) { task.Yield() }

func TestLeaksFindsTasksThatNobodyHolds(t *testing.T) {
	require.Empty(t, leaks(t)) // skips where there is no looking
	var opts [][]ctx.Option
	for _, s := range storages {
		opts = append(opts, s.opts(t))
	}
	a := abandon(t)
	var want []string
	for _, tc := range []struct {
		name  string
		tasks int
		lose  func(name string)
	}{
		{"yielded", len(opts), func(name string) {
			for _, opts := range opts {
				a.spawn(name, yields, opts...)
			}
		}},
		{"suspended", 1, func(name string) {
			var g gate
			a.spawn(name, func(task *ctx.Task) { g.Pass(task) })
		}},
		{"not begun", 2, func(name string) {
			for range 2 {
				task, err := ctx.New(yields, ctx.WithName(t.Name()+" "+name))
				require.NoError(t, err)
				a.tasks = append(a.tasks, hide(task))
			}
		}},
		{"two that hold each other", 2, func(name string) {
			var one, two *ctx.Task
			one = a.spawn(name, func(task *ctx.Task) { task.Yield(); _ = two.Resume() })
			two = a.spawn(name, func(task *ctx.Task) { _ = one.Wait() })
		}},
		{"a family", 2, func(name string) {
			a.spawn(name, func(task *ctx.Task) {
				child := spawn(t, yields, ctx.WithParent(task), ctx.WithName(t.Name()+" "+name))
				task.Yield()
				runtime.KeepAlive(child)
			})
		}},
	} {
		elsewhere(func() { tc.lose(tc.name) })
		want = append(want, slices.Repeat([]string{tc.name}, tc.tasks)...)
	}
	unused := a.spawn("in a variable that is used no more", yields)
	require.False(t, unused.Done())
	want = append(want, "in a variable that is used no more")
	slices.Sort(want)
	require.Equal(t, want, leaks(t))
}

var held = map[string]any{} // what a test lets variables of the package refer to

// Each holder makes a task that can go on, and returns how to let go of it.
func TestLeaksAccusesNoTaskThatIsHeld(t *testing.T) {
	a := abandon(t)
	global := func(name string, v any) func() {
		held[name] = v
		return func() { delete(held, name) }
	}
	// blocked has a goroutine that runs f and waits in wait.
	blocked := func(f func(wait func())) func() {
		ready, leave, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
		go func() {
			defer close(done)
			f(func() { close(ready); <-leave })
		}()
		<-ready
		return func() { close(leave); <-done }
	}
	var names []string
	var releases []func()
	for name, hold := range map[string]func(name string) (release func()){
		"a task": func(name string) func() { return global(name, a.spawn(name, yields)) },
		"a handle in a structure": func(name string) func() {
			g := new(gate)
			a.spawn(name, func(task *ctx.Task) { g.Pass(task) })
			return global(name, map[string][]*gate{"x": {g}})
		},
		"a bound method": func(name string) func() { return global(name, a.spawn(name, yields).Resume) },
		"a channel": func(name string) func() {
			c := make(chan *ctx.Task, 1)
			c <- a.spawn(name, yields)
			return global(name, c)
		},
		"a goroutine's variable": func(name string) func() {
			return blocked(func(wait func()) {
				task := a.spawn(name, yields)
				wait()
				runtime.KeepAlive(task)
			})
		},
		"a goroutine's variable whose address is taken": func(name string) func() {
			return blocked(func(wait func()) {
				var tasks [3]*ctx.Task
				put(&tasks, a.spawn(name, yields))
				wait()
				put(&tasks, nil)
			})
		},
		"a goroutine's deferred call": func(name string) func() {
			return blocked(func(wait func()) {
				for _, task := range []*ctx.Task{a.spawn(name, yields)} {
					defer runtime.KeepAlive(task)
				}
				wait()
			})
		},
		"the result of a function that panics": func(name string) func() {
			return blocked(func(wait func()) {
				runtime.KeepAlive(func() (task *ctx.Task) {
					defer func() { _ = recover() }()
					defer wait()
					task = a.spawn(name, yields)
					panic("on purpose")
				}())
			})
		},
		"a value being sent": func(name string) func() {
			c, ready := make(chan [2]*ctx.Task), make(chan struct{})
			go func() {
				v := [2]*ctx.Task{nil, a.spawn(name, yields)}
				close(ready)
				c <- v
			}()
			<-ready
			return func() { <-c }
		},
		"a running task": func(name string) func() {
			return blocked(func(wait func()) {
				spawn(t, func(*ctx.Task) {
					task := a.spawn(name, yields)
					wait()
					runtime.KeepAlive(task)
				})
			})
		},
		"a suspended task that is held": func(name string) func() {
			holder := spawn(t, func(holder *ctx.Task) {
				task := a.spawn(name, yields)
				holder.Yield()
				runtime.KeepAlive(task)
			})
			held[name] = holder
			return func() { finish(t, held[name].(*ctx.Task)); delete(held, name) }
		},
		"a task that waits for it": func(name string) func() {
			task := a.spawn(name, yields)
			waiter := spawn(t, func(*ctx.Task) { _ = task.Wait() })
			held[name] = waiter
			return func() { require.NoError(t, held[name].(*ctx.Task).Cancel(nil)); delete(held, name) }
		},
		"a context": func(name string) func() {
			c, stop := context.WithCancel(context.Background())
			a.spawn(name, yields, ctx.WithContext(c))
			return global(name, stop)
		},
		"a finalizer": func(name string) func() {
			task := a.spawn(name, yields)
			watched := new([16]int)
			runtime.SetFinalizer(watched, func(*[16]int) { runtime.KeepAlive(task) })
			held[name] = watched
			return func() { runtime.SetFinalizer(held[name], nil); delete(held, name) }
		},
	} {
		names = append(names, name)
		elsewhere(func() { releases = append(releases, hold(name)) })
	}
	slices.Sort(names)
	require.Empty(t, leaks(t))
	elsewhere(func() {
		for _, release := range releases {
			release()
		}
		releases = nil
	})
	require.Equal(t, names, leaks(t), "after the release")
}

//go:noinline
func put(tasks *[3]*ctx.Task, t *ctx.Task) { tasks[1] = t }

func TestLeaksAccusesNoIdleOrDoneTask(t *testing.T) {
	elsewhere(func() {
		for _, opts := range [][]ctx.Option{nil, {ctx.WithNativeStack()}, {ctx.WithStackSize(16 << 10)}} {
			task := spawn(t, yields, append(opts, ctx.WithName(t.Name()+" done"))...)
			finish(t, task)
		}
	})
	require.Empty(t, leaks(t))
}

func TestLeaksOnATaskAndInABubble(t *testing.T) {
	a := abandon(t)
	elsewhere(func() { a.spawn("lost", yields) })
	spawn(t, func(*ctx.Task) { require.Equal(t, []string{"lost"}, leaks(t)) })
	synctest.Test(t, func(*testing.T) { require.Equal(t, []string{"lost"}, leaks(t)) })
}

// Several at a time, while tasks switch and goroutines come back from system
// calls: the moment in which debug.WriteHeapDump of Go 1.26 and 1.27 ends the
// process. Nothing of that ever runs in a forked process.
func TestLeaksWhileAllElseRuns(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	a := abandon(t)
	elsewhere(func() { a.spawn("lost", yields) })
	var stop atomic.Bool
	forkedMark, pid := filepath.Join(t.TempDir(), "forked"), os.Getpid()
	var busy sync.WaitGroup
	for range 4 {
		busy.Go(func() {
			task, err := ctx.Spawn(func(task *ctx.Task) {
				for !stop.Load() {
					if os.Getpid() != pid {
						_ = os.WriteFile(forkedMark, nil, 0o600)
					}
					task.Yield()
				}
			}, ctx.WithName(t.Name()+" busy"))
			for err == nil {
				err = task.Resume()
			}
			if !errors.Is(err, ctx.ErrDone) {
				t.Error(err)
			}
		})
	}
	rounds := 3
	if testing.Short() {
		rounds = 1
	}
	var looking sync.WaitGroup
	for range 2 {
		looking.Go(func() {
			for range rounds {
				if infos, err := ctx.Leaks(); err != nil && !errors.Is(err, errors.ErrUnsupported) {
					t.Error(err)
				} else if s := fmt.Sprint(infos); strings.Contains(s, "busy") || err == nil && !strings.Contains(s, "lost") {
					t.Error(s)
				}
			}
		})
	}
	looking.Wait()
	stop.Store(true)
	busy.Wait()
	require.NoFileExists(t, forkedMark)
}

// A report is a testing.TB that only notes.
type report struct{ errors, logs []string }

func (*report) Helper() {}
func (r *report) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}
func (r *report) Logf(format string, args ...any) {
	r.logs = append(r.logs, fmt.Sprintf(format, args...))
}

func TestCheckLeaksReportsThemWithTheirStacks(t *testing.T) {
	leaks(t) // skips where there is nothing to check
	ctx.CheckLeaks(t)
	a := abandon(t)
	elsewhere(func() { a.spawn("lost", yields) })
	var r report
	ctx.CheckLeaks(&r)
	require.Empty(t, r.logs)
	require.Len(t, r.errors, 1)
	require.Regexp(t, `leaked tasks: 1 live tasks`, r.errors[0])
	require.Contains(t, r.errors[0], fmt.Sprintf("%q: yielded in ctx_test.yields", t.Name()+" lost"))
}

// A caller that drops tasks and then waits. The frame has values left from inlined calls
// of Spawn: they are no references, although everything in the frames below counts.
//
//go:noinline
func dropsAndWaits(a *abandoned, ready, stop chan struct{}) {
	name := a.t.Name()
	_, _ = ctx.Spawn(a.hides, ctx.WithName(name+" first"))
	_, _ = ctx.Spawn(a.hides, ctx.WithName(name+" second"))
	if _, err := ctx.Spawn(a.hides, ctx.WithName(name+" third")); err != nil {
		return
	}
	waitsForEither(ready, stop)
}

func (a *abandoned) hides(task *ctx.Task) {
	a.tasks = append(a.tasks, hide(task))
	task.Yield()
}

//go:noinline
func waitsForEither(ready, stop chan struct{}) {
	var never chan struct{}
	close(ready)
	select { // its cases are an array in this frame
	case <-never:
	case <-stop:
	}
}

func TestLeaksFindsWhatACallerThatWaitsHasDropped(t *testing.T) {
	require.Empty(t, leaks(t))
	a := abandon(t)
	ready, stop, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		dropsAndWaits(a, ready, stop)
	}()
	<-ready
	require.Equal(t, []string{"first", "second", "third"}, leaks(t))
	close(stop)
	<-done
}

// The usual end of a test: no task is left. Then there is nothing to look for, and
// no process is made.
func TestLeaksIsCheapWhenNoTaskIsSuspended(t *testing.T) {
	done := spawn(t, func(*ctx.Task) {})
	for _, info := range ctx.Snapshot() {
		if info.State != ctx.StateRunning {
			t.Skipf("another test's task is still there: %v", info)
		}
	}
	allocs := testing.AllocsPerRun(10, func() {
		infos, err := ctx.Leaks()
		require.NoError(t, err)
		require.Empty(t, infos)
	})
	require.Less(t, allocs, 100.0) // a search makes tens of thousands
	require.True(t, done.Done())
}
