package guard_test

import (
	"errors"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/cancel"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/guard"
	"github.com/stackhop/stackhop/mmapstack"
	"github.com/stackhop/stackhop/resume"
)

// all asks for more than any stack of these tests has, so that Grow hops.
const all = 128 << 10

// spawn runs body as a task on a stack of 32 KiB and either policy.
func spawn(t testing.TB, policy guard.Policy, body func(*ctx.Task)) *ctx.Task {
	t.Helper()
	if stackhop.Backend().Name == "portable" {
		task, err := ctx.Spawn(body)
		require.NoError(t, err)
		return task
	}
	s, err := guard.New(policy, 32<<10)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	task, err := ctx.Spawn(body, ctx.WithStack(s), ctx.WithName("hopper"))
	require.NoError(t, err)
	return task
}

// eachPolicy runs f under both, and afterwards no auxiliary stack may be out.
func eachPolicy(t *testing.T, f func(t *testing.T, policy guard.Policy)) {
	for _, policy := range []guard.Policy{guard.Strict, guard.Growing} {
		t.Run(policy.String(), func(t *testing.T) {
			f(t, policy)
			require.Zero(t, guard.AuxInUse())
		})
	}
}

func grow(fn func()) {
	if err := guard.Grow(all, fn); err != nil {
		panic(err)
	}
}

// A parser of "((((...))))" that descends once for each level.
type parser struct {
	text  string
	pos   int
	depth int
	each  func(depth int)
}

func (p *parser) group() (depth int) {
	if p.pos == len(p.text) || p.text[p.pos] != '(' {
		p.each(p.depth)
		return 0
	}
	p.pos++
	p.depth++
	if err := guard.Grow(1<<10, func() { depth = p.group() + 1 }); err != nil {
		panic(err)
	}
	p.depth--
	if p.text[p.pos] != ')' {
		panic("unbalanced")
	}
	p.pos++
	return depth
}

func TestGrowLetsAParserDescendAMillionLevels(t *testing.T) {
	levels := 1_000_000
	if testing.Short() || stackhop.Backend().Name == "portable" {
		levels = 20_000 // there the runtime copies the stack
	}
	eachPolicy(t, func(t *testing.T, policy guard.Policy) {
		p := &parser{text: strings.Repeat("(", levels) + strings.Repeat(")", levels)}
		var got int
		task := spawn(t, policy, func(task *ctx.Task) {
			p.each = func(depth int) {
				require.Equal(t, levels, depth)
				runtime.GC()
				task.Yield() // from the bottom
				runtime.GC()
			}
			got = p.group()
		})
		runtime.GC()
		require.NoError(t, task.Resume())
		require.True(t, task.Done())
		require.NoError(t, task.Err())
		require.Equal(t, levels, got)
	})
}

func TestHopIsTheSameTask(t *testing.T) {
	eachPolicy(t, func(t *testing.T, policy guard.Policy) {
		var h resume.Handle
		steps := 0
		task := spawn(t, policy, func(task *ctx.Task) {
			before := stackhop.Current()
			grow(func() {
				require.Same(t, task, ctx.Current())
				if stackhop.Backend().Name == "asm" {
					require.NotSame(t, before, stackhop.Current())
					require.Greater(t, stackhop.StackLeft(), all)
				}
				steps++
				task.Yield()
				steps++
				grow(func() { // on the auxiliary stack there is room: a plain call
					ctx.Suspend(func(own resume.Handle) { h = own })
				})
				require.NoError(t, guard.Grow(4*all, func() { task.Yield() })) // nested
				steps++
			})
			require.Same(t, task, ctx.Current())
			require.Same(t, before, stackhop.Current())
			task.Yield()
		})
		require.Equal(t, 1, steps)
		require.NoError(t, task.Resume())
		require.ErrorIs(t, task.Resume(), resume.ErrNotYielded)
		done := make(chan error)
		go func() { done <- h.Resume() }() // another thread
		require.NoError(t, <-done)
		require.Equal(t, 2, steps)
		require.NoError(t, task.Resume())
		require.Equal(t, 3, steps)
		require.False(t, task.Done())
		require.NoError(t, task.Resume())
		require.True(t, task.Done())
		require.NoError(t, task.Err())
	})
}

func TestPanicComesOutOfGrow(t *testing.T) {
	eachPolicy(t, func(t *testing.T, policy guard.Policy) {
		value := errors.New("mine")
		var order []string
		var got any
		task := spawn(t, policy, func(*ctx.Task) {
			func() {
				defer func() { got = recover() }()
				grow(func() {
					defer func() { order = append(order, "inner") }()
					panic(value)
				})
			}()
			order = append(order, "outer")
			grow(func() { grow(func() { var p *int; *p = 1 }) })
		})
		require.True(t, task.Done())
		require.Equal(t, value, got)
		require.Equal(t, []string{"inner", "outer"}, order)
		var pe *ctx.PanicError
		require.ErrorAs(t, task.Err(), &pe)
		require.Implements(t, (*runtime.Error)(nil), pe.Value)
	})
}

func TestGoexitUnwindsThroughGrow(t *testing.T) {
	eachPolicy(t, func(t *testing.T, policy guard.Policy) {
		for range 3 { // the auxiliary stack serves again
			var order []string
			task := spawn(t, policy, func(*ctx.Task) {
				defer func() { order = append(order, "caller") }()
				grow(func() {
					defer func() { order = append(order, "fn") }()
					_ = guard.Grow(4*all, func() {
						defer func() { order = append(order, "nested") }()
						runtime.Goexit()
					})
				})
				t.Error("Grow returned")
			})
			require.ErrorIs(t, task.Err(), ctx.ErrGoexit)
			require.Equal(t, []string{"nested", "fn", "caller"}, order)
		}
	})
}

// A deferred call that panics during a Goexit, and is recovered from: the Goexit
// goes on.
func TestPanicInGoexitThroughGrow(t *testing.T) {
	eachPolicy(t, func(t *testing.T, policy guard.Policy) {
		var got any
		task := spawn(t, policy, func(*ctx.Task) {
			func() {
				defer func() { got = recover() }()
				grow(func() {
					defer func() { panic("late") }()
					runtime.Goexit()
				})
			}()
			t.Error("the Goexit was stopped")
		})
		require.Equal(t, "late", got)
		require.ErrorIs(t, task.Err(), ctx.ErrGoexit)
	})
}

func TestCancelUnwindsFnThenItsCaller(t *testing.T) {
	eachPolicy(t, func(t *testing.T, policy guard.Policy) {
		var order []string
		cause := errors.New("enough")
		task := spawn(t, policy, func(task *ctx.Task) {
			defer func() { order = append(order, "caller") }()
			grow(func() {
				defer func() {
					require.Nil(t, recover())
					order = append(order, "fn")
					require.PanicsWithError(t, cancel.ErrUnwinding.Error(), task.Yield)
					grow(func() { order = append(order, "again") })
				}()
				task.Yield()
				t.Error("Yield returned")
			})
			t.Error("Grow returned")
		})
		require.NoError(t, task.Cancel(cause))
		require.True(t, task.Done())
		require.ErrorIs(t, task.Err(), cause)
		require.Equal(t, []string{"fn", "again", "caller"}, order)
	})
}

func TestHopIsInDumps(t *testing.T) {
	eachPolicy(t, func(t *testing.T, policy guard.Policy) {
		task := spawn(t, policy, func(task *ctx.Task) {
			grow(func() {
				_ = guard.Grow(4*all, func() { waitThere(task) })
			})
		})
		var b strings.Builder
		require.NoError(t, ctx.Dump(&b))
		var info ctx.TaskInfo
		for _, i := range ctx.Snapshot() {
			if i.Name == "hopper" {
				info = i
			}
		}
		if stackhop.Backend().Name == "asm" {
			require.Equal(t, ctx.StateYielded, info.State, b.String())
			require.Equal(t, "guard_test.waitThere", info.WaitsOn, b.String())
			var names []string
			for _, f := range info.Stack {
				names = append(names, f.Func[strings.LastIndexByte(f.Func, '/')+1:])
			}
			all := strings.Join(names, " ")
			require.Regexp(t, `^guard_test\.waitThere guard_test\.TestHopIsInDumps\.\S+ guard\.Grow guard_test\.\S+ guard\.Grow guard_test\.grow guard_test\.\S+$`, all)
		}
		require.NoError(t, task.Resume())
		require.True(t, task.Done())
	})
}

//go:noinline
func waitThere(task *ctx.Task) { task.Yield() }

func TestHopOnBareCoroutineSuspendsThroughCurrent(t *testing.T) {
	needAsm(t)
	s, err := guard.New(guard.Strict, 32<<10)
	require.NoError(t, err)
	n := 0
	c, err := stackhop.New(s.Region(), func(c *stackhop.Coro) {
		grow(func() {
			n++
			stackhop.Current().Switch()
			n++
		})
		n++
		c.Switch()
		n++
	})
	require.NoError(t, err)
	for i := range 3 {
		c.Switch()
		require.Equal(t, []int{1, 3, 4}[i], n)
	}
	require.True(t, c.Done())
	require.NoError(t, s.Close())
	require.Zero(t, guard.AuxInUse())
}

func TestGrowElsewhereIsAPlainCall(t *testing.T) {
	called := 0
	require.NoError(t, guard.Grow(1<<40, func() { called++ }))
	task, err := ctx.Spawn(func(*ctx.Task) {
		require.NoError(t, guard.Grow(1<<40, func() { called++ }))
	}, ctx.WithNativeStack())
	require.NoError(t, err)
	require.NoError(t, task.Err())
	require.Equal(t, 2, called)
}

// No need wraps, and what no auxiliary stack can have is refused by its number.
func TestGrowIsRefusedWhatNoStackHas(t *testing.T) {
	values := []int{math.MaxInt, math.MaxInt - 1, math.MaxInt - 100, math.MaxInt - guard.HopReserve, math.MaxInt/2 + 1, mmapstack.MaxSize}
	called := 0
	for _, need := range append(values, math.MinInt, -1, 0) {
		require.NoError(t, guard.Grow(need, func() { called++ }), "the runtime grows this stack")
	}
	require.Equal(t, len(values)+3, called)
	needAsm(t)
	for _, policy := range []guard.Policy{guard.Strict, guard.Growing} {
		called = 0
		fn := func() { called++ }
		most := 0
		task := spawn(t, policy, func(*ctx.Task) {
			for _, need := range values {
				var e *mmapstack.SizeError
				err := guard.Grow(need, fn)
				require.ErrorAs(t, err, &e)
				require.Equal(t, need, e.Value)
				require.ErrorIs(t, err, mmapstack.ErrSize)
				most = e.Max
			}
			require.Zero(t, called)
			require.Error(t, guard.Grow(most+1, fn))
			require.NoError(t, guard.Grow(most, fn))
			require.NoError(t, guard.Grow(math.MinInt, fn))
			require.Equal(t, 2, called)
		})
		require.NoError(t, task.Err())
		require.Zero(t, guard.AuxInUse())
	}
}

func TestGrowErrors(t *testing.T) {
	needAsm(t)
	for _, c := range []struct {
		name string
		call func() error
		want error
	}{
		{"more than any stack", func() error { return guard.Grow(mmapstack.MaxSize, func() { t.Error("called") }) }, mmapstack.ErrSize},
		{"caller locked to its thread", func() error {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			return guard.Grow(all, func() { t.Error("called") })
		}, stackhop.ErrThreadLocked},
		{"fn leaves its thread locked", func() error { return guard.Grow(all, runtime.LockOSThread) }, stackhop.ErrThreadLocked},
	} {
		t.Run(c.name, func(t *testing.T) {
			var err error
			task := spawn(t, guard.Strict, func(*ctx.Task) { err = c.call() })
			require.NoError(t, task.Err())
			require.ErrorIs(t, err, c.want)
			require.Zero(t, guard.AuxInUse())
		})
	}
}

// An overflow of an auxiliary stack is one of its policy.
func TestOverflowOnAuxiliaryStack(t *testing.T) {
	needAsm(t)
	task := spawn(t, guard.Growing, func(*ctx.Task) {
		for range 20 {
			func() {
				defer func() {
					err, _ := recover().(error)
					require.ErrorIs(t, err, guard.ErrOverflow)
				}()
				grow(func() { down(0) })
			}()
		}
		grow(func() { down(0) })
	})
	require.ErrorIs(t, task.Err(), guard.ErrOverflow)
	require.Zero(t, guard.AuxInUse())
}

func TestPlainGrowAllocatesNothing(t *testing.T) {
	needAsm(t)
	var plain, hop float64
	spawn(t, guard.Strict, func(task *ctx.Task) {
		n := 0
		plain = testing.AllocsPerRun(100, func() { _ = guard.Grow(100, func() { n++ }) })
		hop = testing.AllocsPerRun(100, func() { _ = guard.Grow(all, func() { n++ }) })
	})
	require.Zero(t, plain)
	require.Zero(t, hop)
}
