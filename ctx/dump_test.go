package ctx_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
)

// infoOf returns what the snapshot says of the task of that name.
func infoOf(t testing.TB, name string) ctx.TaskInfo {
	t.Helper()
	var found []ctx.TaskInfo
	for _, info := range ctx.Snapshot() {
		if info.Name == name {
			found = append(found, info)
		}
	}
	require.Len(t, found, 1, name)
	return found[0]
}

// A gate is a lock as a leaf package has it.
type gate struct{ h resume.Handle }

func (g *gate) Publish(h resume.Handle) { g.h = h }

//go:noinline
func (g *gate) Pass(t *ctx.Task) {
	if err := t.Park(g); err != nil {
		panic(err)
	}
}

//go:noinline
func outer(f func()) { f() }

func TestSnapshotTellsStatesAndStacks(t *testing.T) {
	onEach(t, func(t *testing.T, opts []ctx.Option) {
		named := append(opts, ctx.WithName("subject"))

		task := spawn(t, func(task *ctx.Task) { outer(task.Yield) }, named...)
		info := infoOf(t, "subject")
		require.Equal(t, ctx.StateYielded, info.State)
		require.NotZero(t, info.ID)
		require.Contains(t, info.WaitsOn, "ctx_test.")
		require.False(t, info.StackCut)
		require.Contains(t, info.Stack[0].File, "dump_test.go")
		require.NotZero(t, info.Stack[0].Line)
		finish(t, task)

		var g gate
		task = spawn(t, func(task *ctx.Task) { outer(func() { g.Pass(task) }) }, named...)
		info = infoOf(t, "subject")
		require.Equal(t, ctx.StateSuspended, info.State)
		require.Equal(t, "ctx_test.(*gate).Pass", info.WaitsOn)
		require.Contains(t, names(info), "ctx_test.outer")
		require.NotContains(t, names(info), "runtime.")
		require.NotContains(t, names(info), "stackhop/ctx.")
		require.NoError(t, g.h.Resume())
		require.True(t, task.Done())
	})
	for _, info := range ctx.Snapshot() {
		require.NotEqual(t, "subject", info.Name, "it has ended")
	}
}

func names(info ctx.TaskInfo) string {
	var b strings.Builder
	for _, f := range info.Stack {
		fmt.Fprintln(&b, f.Func)
	}
	return b.String()
}

func TestSnapshotOfTellsOfTasksByHandleAndByEnder(t *testing.T) {
	var g, other gate
	spawn(t, func(task *ctx.Task) { task.SuspendTo(&g) }, ctx.WithName("by handle"))
	var end noEnd
	spawn(t, func(task *ctx.Task) { task.SuspendTo(&other) }, ctx.WithName("by ender"), ctx.WithOnEnd(&end))
	of := func(wanted func(*resume.Slot, ctx.Ender) bool) (names []string) {
		for _, info := range ctx.SnapshotOf(wanted) {
			names = append(names, info.Name)
		}
		return names
	}
	require.Equal(t, []string{"by handle"}, of(func(s *resume.Slot, _ ctx.Ender) bool { return s == g.h.Slot() }))
	require.Equal(t, []string{"by ender"}, of(func(_ *resume.Slot, onEnd ctx.Ender) bool { return onEnd == ctx.Ender(&end) }))
	require.NoError(t, g.h.Resume())
	require.Empty(t, of(func(s *resume.Slot, _ ctx.Ender) bool { return s == g.h.Slot() }), "it has ended")
	require.NoError(t, other.h.Resume())
}

// noEnd is an Ender that does nothing.
type noEnd struct{ _ int }

func (*noEnd) TaskEnded(*ctx.Task) resume.Handle { return resume.Handle{} }

func TestSnapshotTellsWhoWaitsForWhom(t *testing.T) {
	inner := spawn(t, func(task *ctx.Task) {
		task.Yield()
		require.Equal(t, ctx.StateRunning, infoOf(t, "inner").State)
		waiting := infoOf(t, "outer")
		require.Equal(t, ctx.StateWaiting, waiting.State)
		require.Contains(t, waiting.Stack[0].Func, "TestSnapshotTellsWhoWaitsForWhom", "what called Resume comes first")
	}, ctx.WithName("inner"))
	task := spawn(t, func(*ctx.Task) { outer(func() { _ = inner.Resume() }) }, ctx.WithName("outer"))
	require.True(t, task.Done())
	require.NoError(t, inner.Err())
}

func TestSnapshotTellsWhatBlocksARunningTask(t *testing.T) {
	c := make(chan int)
	done := make(chan error)
	go func() {
		_, err := ctx.Spawn(func(*ctx.Task) { <-c }, ctx.WithName("blocked"))
		done <- err
	}()
	require.Eventually(t, func() bool {
		for _, info := range ctx.Snapshot() {
			if info.Name == "blocked" && info.WaitsOn == "chan receive" {
				return info.State == ctx.StateRunning
			}
		}
		return false
	}, time.Minute, time.Millisecond)
	c <- 1
	require.NoError(t, <-done)
}

func TestSnapshotTellsOfTasksThatHaveNotBegun(t *testing.T) {
	for range 2 { // on a coroutine that is new, then on one that has served
		task, err := ctx.New(func(*ctx.Task) {}, ctx.WithName("new"))
		require.NoError(t, err)
		info := infoOf(t, "new")
		require.Equal(t, ctx.StateNew, info.State)
		require.Empty(t, info.Stack)
		finish(t, task)
		require.NoError(t, task.Free())
	}
}

func TestSnapshotTellsOfUnwindingTasks(t *testing.T) {
	var info, child ctx.TaskInfo
	task := spawn(t, func(task *ctx.Task) {
		defer func() { info = infoOf(t, "parent") }()
		spawn(t, func(task *ctx.Task) {
			defer func() { child, info = infoOf(t, "child"), infoOf(t, "parent") }()
			task.Yield()
		}, ctx.WithName("child"), ctx.WithParent(task))
		task.Yield()
	}, ctx.WithName("parent"))
	require.False(t, infoOf(t, "parent").CancelPending)
	require.NoError(t, task.Cancel(errors.New("enough")))
	require.Equal(t, ctx.StateUnwinding, child.State)
	require.True(t, child.CancelPending)
	require.Equal(t, ctx.StateUnwinding, info.State)
	require.True(t, info.CancelPending)
}

func TestSnapshotPutsChildrenBehindTheirParents(t *testing.T) {
	// grow starts a task of that name, and in it one for each letter more.
	var grow func(parent *ctx.Task, name, below string) *ctx.Task
	grow = func(parent *ctx.Task, name, below string) *ctx.Task {
		opts := []ctx.Option{ctx.WithName("tree " + name)}
		if parent != nil {
			opts = append(opts, ctx.WithParent(parent))
		}
		return spawn(t, func(task *ctx.Task) {
			if below != "" {
				grow(task, name+below[:1], below[1:])
			}
			task.Yield()
		}, opts...)
	}
	a, b := grow(nil, "a", "12"), grow(nil, "b", "3")
	var names []string
	ids := map[string]ctx.TaskInfo{}
	for _, info := range ctx.Snapshot() {
		if strings.HasPrefix(info.Name, "tree ") {
			names = append(names, strings.Repeat(" ", info.Depth)+info.Name[5:])
			ids[info.Name[5:]] = info
		}
	}
	require.Contains(t, []string{"a/ a1/  a12/b/ b3", "b/ b3/a/ a1/  a12"}, strings.Join(names, "/"))
	require.Equal(t, ids["a"].ID, ids["a1"].Parent)
	require.Equal(t, ids["a1"].ID, ids["a12"].Parent)
	require.Zero(t, ids["a"].Parent)
	require.NoError(t, a.Cancel(nil))
	require.NoError(t, b.Cancel(nil))
}

func TestDumpsAreOfTheSnapshot(t *testing.T) {
	var g gate
	spawn(t, func(task *ctx.Task) { g.Pass(task) }, ctx.WithName("dumped"))
	var text, data bytes.Buffer
	require.NoError(t, ctx.Dump(&text))
	require.Regexp(t, `(?m)^task \d+ "dumped": suspended in ctx_test\.\(\*gate\)\.Pass`, text.String())
	require.Regexp(t, `(?m)^ +github.com/stackhop/stackhop/ctx_test\.\(\*gate\)\.Pass\n +.*/dump_test\.go:\d+$`, text.String())
	spawn(t, func(task *ctx.Task) { // some of each
		child := spawn(t, yields, ctx.WithParent(task), ctx.WithName("odd \x00\n\"\\\u2028é\xff</>"))
		require.NoError(t, ctx.DumpJSON(&data))
		require.NoError(t, child.Cancel(nil))
	}, ctx.WithName("dumper"))
	var infos []ctx.TaskInfo
	require.NoError(t, json.Unmarshal(data.Bytes(), &infos))
	again, err := json.Marshal(infos)
	require.NoError(t, err)
	require.JSONEq(t, string(again), data.String(), "the same keys as encoding/json's")
	want := map[string]ctx.State{"dumped": ctx.StateSuspended, "dumper": ctx.StateRunning, "odd \x00\n\"\\\u2028é\ufffd</>": ctx.StateYielded}
	for _, info := range infos {
		if state, ok := want[info.Name]; ok {
			require.Equal(t, state, info.State)
			delete(want, info.Name)
		}
	}
	require.Empty(t, want)
	require.NoError(t, g.h.Resume())
	require.ErrorIs(t, ctx.Dump(failing{}), io.ErrClosedPipe)
	require.ErrorIs(t, ctx.DumpJSON(failing{}), io.ErrClosedPipe)
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestAgeIsExactOnlyWhenTracked(t *testing.T) {
	lap := func(task *ctx.Task) {
		first := infoOf(t, "aging")
		time.Sleep(5 * time.Millisecond)
		second := infoOf(t, "aging")
		require.Equal(t, first.AgeExact, second.AgeExact)
		require.GreaterOrEqual(t, second.Age-first.Age, 5*time.Millisecond)
		finish(t, task)
		require.NoError(t, task.Free())
	}
	body := func(task *ctx.Task) { task.Yield() }
	for _, on := range []bool{false, true, false} {
		ctx.TrackAge(on)
		task := spawn(t, body, ctx.WithName("aging"))
		info := infoOf(t, "aging")
		require.Equal(t, on, info.AgeExact)
		require.Equal(t, on, info.Age != 0)
		lap(task)
	}
}

// A task that a dump may read does not serve again meanwhile, and dumps from
// several goroutines agree with tasks that start, switch and end on others. The
// race detector looks on.
func TestDumpsWhileTasksSwitchElsewhere(t *testing.T) {
	const workers, names = 4, 8
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(workers))
	rounds := 20
	if testing.Short() {
		rounds = 5
	}
	var stop atomic.Bool
	var busy sync.WaitGroup
	for w := range workers {
		busy.Go(func() {
			rng := rand.New(rand.NewPCG(1, uint64(w)))
			lasting, err := ctx.Spawn(func(task *ctx.Task) {
				for !stop.Load() {
					task.Yield()
				}
			}, ctx.WithName(fmt.Sprintf("busy %d", w)))
			if err != nil {
				t.Error(err)
				return
			}
			for lasting.Resume() == nil {
				name := fmt.Sprintf("busy %d", rng.IntN(names))
				var g gate
				task, err := ctx.Spawn(func(task *ctx.Task) {
					child, err := ctx.Spawn(func(task *ctx.Task) { task.Yield() }, ctx.WithParent(task), ctx.WithName(name))
					if err != nil {
						panic(err)
					}
					task.Yield()
					_ = child.Resume()
					g.Pass(task)
				}, ctx.WithName(name))
				if err != nil {
					t.Error(err)
					return
				}
				if rng.IntN(4) == 0 {
					_ = task.Cancel(nil)
				} else if task.Resume() == nil {
					_ = g.h.Resume()
				}
				if err := task.Free(); err != nil {
					t.Error(err, task)
				}
			}
		})
	}
	saw := 0
	t.Logf("%d goroutines", runtime.NumGoroutine())
	for range rounds {
		for _, info := range ctx.Snapshot() {
			if !strings.HasPrefix(info.Name, "busy ") {
				continue
			}
			if len(info.Name) != len("busy 0") || info.Depth > 1 || info.State == "" || info.State == ctx.StateNew {
				t.Errorf("torn: %+v", info)
			}
			saw++
		}
		runtime.Gosched()
	}
	stop.Store(true)
	busy.Wait()
	require.NotZero(t, saw)
}

// nest starts depth tasks, each the child of the one before, and calls f on the
// innermost. It returns the outermost.
func nest(t testing.TB, depth int, f func(*ctx.Task), opts ...ctx.Option) *ctx.Task {
	var enter func(task *ctx.Task, above int)
	enter = func(task *ctx.Task, above int) {
		if above == depth {
			f(task)
			return
		}
		spawn(t, func(child *ctx.Task) { enter(child, above+1) }, append(opts, ctx.WithParent(task))...)
		task.Yield()
	}
	return spawn(t, func(task *ctx.Task) { enter(task, 1) }, opts...)
}

// Whatever a dump does for a task it does in a loop, and however deep tasks are
// nested, what it says of one has the same length.
func TestDumpsOfDeepTreesAreLinear(t *testing.T) {
	perTask := func(depth int, opts ...ctx.Option) int {
		var text, array bytes.Buffer
		var infos []ctx.TaskInfo
		root := nest(t, depth, func(task *ctx.Task) {
			require.NoError(t, ctx.Dump(&text))
			require.NoError(t, ctx.DumpJSON(&array))
			infos = ctx.Snapshot()
			task.Yield()
		}, opts...)
		require.GreaterOrEqual(t, len(infos), depth)
		for i, info := range infos[len(infos)-depth:] {
			require.Equal(t, i, info.Depth)
		}
		last := infos[len(infos)-1]
		require.Contains(t, text.String(), fmt.Sprintf("task %d (%d deep, child of %d): ", last.ID, depth-1, last.Parent))
		require.ErrorIs(t, root.Cancel(errWhy), nil)
		return (text.Len() + array.Len()) / depth
	}
	deep := 3000
	if testing.Short() {
		deep = 300
	}
	shallow := perTask(30)
	require.Less(t, perTask(deep), 3*shallow)
	if !portable() {
		require.Less(t, perTask(240, ctx.WithStackSize(64<<10)), 3*shallow)
	}
}
