package ctx_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/mmapstack"
	"github.com/stackhop/stackhop/resume"
)

func portable() bool { return stackhop.Backend().Name == "portable" }

func spawn(t testing.TB, body func(*ctx.Task), opts ...ctx.Option) *ctx.Task {
	t.Helper()
	task, err := ctx.Spawn(body, opts...)
	require.NoError(t, err)
	return task
}

// finish resumes a yielding task until it is done.
func finish(t testing.TB, task *ctx.Task) {
	t.Helper()
	for !task.Done() {
		require.NoError(t, task.Resume())
	}
}

var staticMemory [256 << 10]byte

// mapped reports whether this system has mapped stacks; where it has none, tests
// of such say so and are skipped.
func mapped(t testing.TB) {
	t.Helper()
	s, err := mmapstack.New(0)
	if err == mmapstack.ErrUnsupported {
		t.Skip("no mapped stacks on this system")
	}
	require.NoError(t, err)
	require.NoError(t, s.Close())
}

// storages are all kinds of storage (R4). Each makes the options for one task
// at a time.
var storages = []struct {
	name string
	opts func(t testing.TB) []ctx.Option
}{
	{"default", func(testing.TB) []ctx.Option { return nil }},
	{"sized", func(testing.TB) []ctx.Option { return []ctx.Option{ctx.WithStackSize(128 << 10)} }},
	{"strict", func(testing.TB) []ctx.Option { return []ctx.Option{ctx.WithStrictStack(64 << 10)} }},
	{"native", func(testing.TB) []ctx.Option { return []ctx.Option{ctx.WithNativeStack()} }},
	{"own", func(t testing.TB) []ctx.Option { return onStack(t, ownStack(t, 64<<10)) }},
	{"static", func(t testing.TB) []ctx.Option {
		s, err := mmapstack.Static(staticMemory[:])
		require.NoError(t, err)
		return onStack(t, s)
	}},
	{"carved", func(t testing.TB) []ctx.Option {
		s, err := ownStack(t, 256<<10).Carve(64 << 10)
		require.NoError(t, err)
		return onStack(t, s)
	}},
	{"pool of one's own", func(t testing.TB) []ctx.Option {
		mapped(t)
		pool, err := mmapstack.NewPool(64 << 10)
		require.NoError(t, err)
		s, err := pool.Get()
		require.NoError(t, err)
		t.Cleanup(func() {
			pool.Put(s)
			require.NoError(t, pool.Close())
		})
		return []ctx.Option{ctx.WithStack(s)}
	}},
}

func ownStack(t testing.TB, size int) *mmapstack.Stack {
	mapped(t)
	s, err := mmapstack.New(size)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func onStack(t testing.TB, s *mmapstack.Stack) []ctx.Option {
	if s.Kind() != mmapstack.Own {
		t.Cleanup(func() { require.NoError(t, s.Close()) })
	}
	return []ctx.Option{ctx.WithStack(s)}
}

// onEach runs test on every kind of storage.
func onEach(t *testing.T, test func(t *testing.T, opts []ctx.Option)) {
	for _, s := range storages {
		t.Run(s.name, func(t *testing.T) { test(t, s.opts(t)) })
	}
}

// keep is a publish that leaves the handle in h.
func keep(h *resume.Handle) func(resume.Handle) { return func(own resume.Handle) { *h = own } }
