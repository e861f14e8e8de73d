package join_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/internal/testsupport"
	"github.com/stackhop/stackhop/join"
	"github.com/stackhop/stackhop/mmapstack"
	"github.com/stackhop/stackhop/resume"
)

func TestMain(m *testing.M) {
	mmapstack.TraceMakers(!testsupport.IsChild())
	testsupport.Main(m, func() (leaks []string) {
		for _, maker := range mmapstack.Live() {
			leaks = append(leaks, maker.Stack+"\n"+maker.Trace)
		}
		return leaks
	})
}

func portable() bool { return stackhop.Backend().Name == "portable" }

// A gate is a leaf: bodies wait at it, and open lets them go, first come first
// served, on the opener's goroutine.
type gate struct {
	mu    sync.Mutex
	queue []resume.Handle
}

// Publish queues a suspended body.
func (g *gate) Publish(h resume.Handle) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.queue = append(g.queue, h)
}

// wait suspends t until the gate opens.
func (g *gate) wait(t *ctx.Task) error { return t.Park(g) }

// open lets the first who still waits through, and reports whether there was one.
func (g *gate) open() bool {
	for {
		g.mu.Lock()
		if len(g.queue) == 0 {
			g.mu.Unlock()
			return false
		}
		h := g.queue[0]
		g.queue = g.queue[1:]
		g.mu.Unlock()
		if h.Resume() == nil {
			return true
		}
	}
}

// openSoon opens the gate for one body, as soon as one waits, from a goroutine
// that ends with the test at the latest.
func (g *gate) openSoon(t testing.TB) {
	stop, done := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() {
		close(stop)
		<-done
	})
	go func() {
		defer close(done)
		for !g.open() {
			select {
			case <-stop:
				return
			case <-time.After(10 * time.Microsecond):
			}
		}
	}()
}

func spawn(t testing.TB, body func(*ctx.Task), opts ...ctx.Option) *ctx.Task {
	t.Helper()
	task, err := ctx.Spawn(body, opts...)
	require.NoError(t, err)
	return task
}

// ended wants the task done, without an error.
func ended(t testing.TB, task *ctx.Task) {
	t.Helper()
	require.True(t, task.Done(), task)
	require.NoError(t, task.Err())
}

// mapped skips the test where there are no mapped stacks.
func mapped(t testing.TB, size int) *mmapstack.Stack {
	t.Helper()
	s, err := mmapstack.New(size)
	if err == mmapstack.ErrUnsupported {
		t.Skip("no mapped stacks on this system")
	}
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// parents are the places from which a combinator may be called. Each runs f to
// its end; arms must be let go from another goroutine.
var parents = []struct {
	name string
	run  func(t *testing.T, f func())
}{
	{"goroutine", func(_ *testing.T, f func()) { f() }},
	{"pooled", func(t *testing.T, f func()) { runOn(t, f) }},
	{"large", func(t *testing.T, f func()) { runOn(t, f, ctx.WithStrictStack(512<<10)) }},
	{"native", func(t *testing.T, f func()) { runOn(t, f, ctx.WithNativeStack()) }},
	{"own", func(t *testing.T, f func()) { runOn(t, f, ctx.WithStack(mapped(t, 256<<10))) }},
	{"carved", func(t *testing.T, f func()) {
		s := mapped(t, 512<<10)
		k, err := s.Carve(256 << 10)
		require.NoError(t, err)
		runOn(t, f, ctx.WithStack(k))
		require.NoError(t, k.Close())
	}},
}

func runOn(t *testing.T, f func(), opts ...ctx.Option) {
	task := spawn(t, func(*ctx.Task) { f() }, opts...)
	require.NoError(t, task.Wait())
}

// sizes are the kinds of storage of the arms.
var sizes = map[string]join.Size{"default": 0, "sized": 8 << 10, "too large to carve": 128 << 10}

// everywhere runs test on each kind of parent, with each kind of arm.
func everywhere(t *testing.T, test func(t *testing.T, s join.Size)) {
	for _, p := range parents {
		for name, size := range sizes {
			t.Run(p.name+"/"+name, func(t *testing.T) {
				p.run(t, func() { test(t, size) })
			})
		}
	}
}
