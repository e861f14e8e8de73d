package tests

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/cancel"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/internal/testsupport"
	"github.com/stackhop/stackhop/mmapstack"
	"github.com/stackhop/stackhop/resume"
)

// The tests of cancel_matrix*_test.go are the rows of the cancel matrix. Each
// runs on every kind of storage; which backend serves is the environment's to say
// (STACKHOP_BACKEND, see docs/tuning.md).

var errCause = errors.New("the cause of the test")

// cancelMemory is the static storage of as many tasks as one row has at most.
var cancelMemory [4][128 << 10]byte

// taskStorages are the kinds of storage that a task can be on. Each call of next
// answers the option for one more task.
var taskStorages = []struct {
	name string
	next func(tb testing.TB) func() ctx.Option
}{
	{"sized", func(testing.TB) func() ctx.Option {
		return func() ctx.Option { return ctx.WithStackSize(64 << 10) }
	}},
	{"strict", func(testing.TB) func() ctx.Option {
		return func() ctx.Option { return ctx.WithStrictStack(64 << 10) }
	}},
	{"native", func(testing.TB) func() ctx.Option { return ctx.WithNativeStack }},
	{"own", func(tb testing.TB) func() ctx.Option {
		return func() ctx.Option {
			s := stackOrSkip(mmapstack.New(64 << 10))(tb)
			tb.Cleanup(func() { require.NoError(tb, s.Close()) })
			return ctx.WithStack(s)
		}
	}},
	{"carved", func(tb testing.TB) func() ctx.Option {
		from := stackOrSkip(mmapstack.New(1 << 20))(tb)
		tb.Cleanup(func() { require.NoError(tb, from.Close()) })
		return func() ctx.Option {
			s := stackOrSkip(from.Carve(64 << 10))(tb)
			tb.Cleanup(func() { require.NoError(tb, s.Close()) })
			return ctx.WithStack(s)
		}
	}},
	{"static", func(tb testing.TB) func() ctx.Option {
		n := 0
		return func() ctx.Option {
			s := stackOrSkip(mmapstack.Static(cancelMemory[n][:]))(tb)
			tb.Cleanup(func() { require.NoError(tb, s.Close()) })
			n++
			return ctx.WithStack(s)
		}
	}},
}

// eachTaskStorage runs a subtest for every kind of storage.
func eachTaskStorage(t *testing.T, test func(t *testing.T, on func() ctx.Option)) {
	for _, st := range taskStorages {
		t.Run(st.name, func(t *testing.T) { test(t, st.next(t)) })
	}
}

// A notebook has what happened, in order.
type notebook struct {
	mu    sync.Mutex
	lines []string
}

func (n *notebook) add(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines = append(n.lines, fmt.Sprintf(format, args...))
}

func (n *notebook) require(tb testing.TB, lines ...string) {
	tb.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	require.Equal(tb, lines, n.lines)
}

// A park is a way to suspend the current task for good.
type park struct {
	name string
	// suspend returns only if the task could not be suspended, or went on.
	suspend func(t *ctx.Task, h *resume.Handle) error
}

// parks are all ways to suspend.
var parks = []park{
	{"Yield", func(t *ctx.Task, _ *resume.Handle) error { t.Yield(); return nil }},
	{"Suspend", func(t *ctx.Task, h *resume.Handle) error {
		t.Suspend(func(own resume.Handle) { *h = own })
		return nil
	}},
	{"Park", func(t *ctx.Task, h *resume.Handle) error {
		return t.Park(resume.PublishFunc(func(own resume.Handle) { *h = own }))
	}},
}

// waitIn notes that it waits, suspends inside some frames, and notes how each
// frame is left.
func waitIn(n *notebook, name string, t *ctx.Task, suspend func() error) {
	defer n.add("%s: left", name)
	func() {
		defer n.add("%s: left leaf", name)
		if err := suspend(); err != nil {
			n.add("%s: %v", name, err)
			return
		}
		n.add("%s: goes on", name)
	}()
}

// requireCancelled checks what is left of a task that was cancelled for errCause.
func requireCancelled(tb testing.TB, task *ctx.Task) {
	tb.Helper()
	require.True(tb, task.Done())
	require.ErrorIs(tb, task.Err(), errCause)
	var ce *cancel.Error
	require.ErrorAs(tb, task.Err(), &ce)
	require.Equal(tb, errCause, ce.Cause)
	require.ErrorIs(tb, task.Resume(), ctx.ErrDone)
	require.NoError(tb, task.Cancel(errors.New("a later cause")))
	require.ErrorIs(tb, task.Err(), errCause, "the first cause stays")
}

// requireStale checks that h is one of no use any more.
func requireStale(tb testing.TB, h resume.Handle) {
	tb.Helper()
	require.False(tb, h.Live())
	require.ErrorIs(tb, h.Resume(), resume.ErrStale)
}

// scaled is how many rounds to run: all, few with -short, and less where tests
// are slow.
func scaled(all, few int) int {
	if testing.Short() || testsupport.Emulated() || testsupport.Race {
		return few
	}
	return all
}
