package tests

import (
	"errors"
	"runtime"
	"sync"
	"testing"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/mmapstack"
	"github.com/stretchr/testify/require"
)

// A storage is a kind of memory that a coroutine's stack can lie in.
type storage struct {
	name string
	// get returns a region, and what gives it back.
	get func(tb testing.TB) (stackhop.Region, func())
}

// pool has stacks for bare coroutines. Tasks of package ctx use mmapstack.Default,
// and leave coroutines on its stacks.
var pool = sync.OnceValue(func() *mmapstack.Pool {
	p, err := mmapstack.NewPool(64 << 10)
	if err != nil {
		return mmapstack.Default(64 << 10) // its Get answers the error
	}
	return p
})

var staticMemory [256 << 10]byte

// storages are the kinds of storage, each with room for fmt and file I/O.
var storages = []storage{
	{"native", func(testing.TB) (stackhop.Region, func()) { return stackhop.Region{}, func() {} }},
	{"own", func(tb testing.TB) (stackhop.Region, func()) {
		s := stackOrSkip(mmapstack.New(64 << 10))(tb)
		return s.Region(), func() { require.NoError(tb, s.Close()) }
	}},
	{"pooled", func(tb testing.TB) (stackhop.Region, func()) {
		s := stackOrSkip(pool().Get())(tb)
		return s.Region(), func() { pool().Put(s) }
	}},
	{"carved", func(tb testing.TB) (stackhop.Region, func()) {
		s := stackOrSkip(mmapstack.New(256 << 10))(tb)
		part := stackOrSkip(s.Carve(64 << 10))(tb)
		return part.Region(), func() { require.NoError(tb, errors.Join(part.Close(), s.Close())) }
	}},
	{"static", func(tb testing.TB) (stackhop.Region, func()) {
		s := stackOrSkip(mmapstack.Static(staticMemory[:]))(tb)
		return s.Region(), func() { require.NoError(tb, s.Close()) }
	}},
}

func stackOrSkip(s *mmapstack.Stack, err error) func(testing.TB) *mmapstack.Stack {
	return func(tb testing.TB) *mmapstack.Stack {
		tb.Helper()
		if errors.Is(err, mmapstack.ErrUnsupported) {
			tb.Skip(err)
		}
		require.NoError(tb, err)
		return s
	}
}

// eachStorage runs a subtest for every kind of storage.
func eachStorage(t *testing.T, test func(t *testing.T, st storage)) {
	for _, st := range storages {
		t.Run(st.name, func(t *testing.T) { test(t, st) })
	}
}

// coro makes a coroutine that must be done at the end of the test.
func (st storage) coro(tb testing.TB, body func(c *stackhop.Coro)) *stackhop.Coro {
	tb.Helper()
	region, free := st.get(tb)
	c, err := stackhop.New(region, body)
	require.NoError(tb, err)
	tb.Cleanup(func() {
		if !c.Done() {
			tb.Errorf("the body has not ended; its stack is lost")
			return
		}
		require.NoError(tb, c.Close())
		free()
	})
	return c
}

// mapped is the kind of storage that tests use which need one that is not the
// runtime's own.
var mapped = storages[2]

// A runner starts a body that can yield to whoever resumes it.
type runner struct {
	name  string
	start func(tb testing.TB, body func(yield func())) (resume func() (done bool))
}

// runners are the bare kernel and the tasks on top of it.
var runners = func() []runner {
	var all []runner
	for _, st := range storages {
		all = append(all, runner{"coro/" + st.name, func(tb testing.TB, body func(yield func())) func() bool {
			c := st.coro(tb, func(c *stackhop.Coro) { body(c.Switch) })
			return func() bool { c.Switch(); return c.Done() }
		}})
	}
	return append(all, taskRunners...)
}()

func eachRunner(t *testing.T, test func(t *testing.T, r runner)) {
	for _, r := range runners {
		t.Run(r.name, func(t *testing.T) { test(t, r) })
	}
}

// drain resumes to the end, calls between after every suspension, and returns
// how many suspensions there were.
func drain(resume func() bool, between func()) (suspensions int) {
	for !resume() {
		suspensions++
		between()
	}
	return suspensions
}

// look has the collector and a traceback walk every stack.
func look() {
	runtime.GC()
	stacks()
}

// stacks returns the runtime's dump of all goroutines.
func stacks() string {
	buf := make([]byte, 256<<10)
	n := runtime.Stack(buf, true)
	for n == len(buf) {
		buf = make([]byte, 2*len(buf))
		n = runtime.Stack(buf, true)
	}
	return string(buf[:n])
}
