package guard_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/guard"
	"github.com/stackhop/stackhop/mmapstack"
)

func needAsm(t *testing.T) {
	t.Helper()
	if b := stackhop.Backend(); b.Name != "asm" {
		t.Skipf("this is about the asm backend; here serves %s: %s", b.Name, b.Reason)
	}
}

// on runs body on a stack of its own, to its end.
func on(t *testing.T, policy guard.Policy, size int, body func()) {
	t.Helper()
	s, err := guard.New(policy, size)
	require.NoError(t, err)
	require.Equal(t, policy, guard.PolicyOf(s))
	c, err := stackhop.New(s.Region(), func(*stackhop.Coro) { body() })
	require.NoError(t, err)
	c.Switch()
	require.True(t, c.Done())
	require.NoError(t, s.Close())
}

//go:noinline
func down(n int) int {
	if n < 0 { // never
		return len(os.Args)
	}
	return down(n+1) + 1
}

func TestOverflowErrorTellsWhatAndWhere(t *testing.T) {
	needAsm(t)
	var got any
	on(t, guard.Growing, 64<<10, func() {
		defer func() { got = recover() }()
		down(0)
	})
	err, ok := got.(error)
	require.True(t, ok)
	require.ErrorIs(t, err, guard.ErrOverflow)
	var oe *guard.OverflowError
	require.ErrorAs(t, err, &oe)
	require.Equal(t, "github.com/stackhop/stackhop/guard_test.down", oe.Call)
	require.InDelta(t, 64<<10, oe.Size, 1024)
	require.Equal(t, 64<<10, oe.Reserve)
	require.ErrorContains(t, err, "guard: stack overflow: a call of "+oe.Call+" did not fit on a stack of 6")
	require.ErrorContains(t, err, "the deepest frames repeat")
	first, _, _ := strings.Cut(oe.Stack(), "\n")
	require.Equal(t, oe.Call, first)
	oe.Task = "x"
	require.ErrorContains(t, err, `stack overflow of task "x"`)
}

// Without a switch or Rearm in between, the reserve lasts for a few overflows.
func TestRearmGivesTheReserveBack(t *testing.T) {
	needAsm(t)
	guard.Rearm() // on a plain goroutine: nothing
	n := 0
	on(t, guard.Growing, 32<<10, func() {
		for range 100 {
			func() {
				defer func() {
					if err, _ := recover().(error); errors.Is(err, guard.ErrOverflow) {
						n++
					}
				}()
				down(0)
			}()
			guard.Rearm()
		}
	})
	require.Equal(t, 100, n)
}

func TestTrapComesAndGoes(t *testing.T) {
	needAsm(t)
	require.NoError(t, guard.Remove())
	require.False(t, guard.Installed())
	s, err := mmapstack.New(0, mmapstack.WithGrowth(0, 0))
	require.NoError(t, err)
	_, err = stackhop.New(s.Region(), func(*stackhop.Coro) {})
	require.ErrorIs(t, err, stackhop.ErrGrowthOff)
	for range 2 {
		require.NoError(t, guard.Install())
		require.True(t, guard.Installed())
	}
	c, err := stackhop.New(s.Region(), func(*stackhop.Coro) {})
	require.NoError(t, err)
	c.Switch()
	require.NoError(t, s.Close())
}

func TestErrors(t *testing.T) {
	cause := errors.New("cause")
	for _, tt := range []struct {
		name string
		err  error
		is   []error
		text string
	}{
		{"trap", &guard.TrapError{Err: cause}, []error{guard.ErrTrap, cause}, "guard: cause"},
		{"overflow", &guard.OverflowError{Call: "f", Size: 1 << 16}, []error{guard.ErrOverflow}, "f did not fit on a stack of 64 KiB; give it"},
		{"overflow, coloured", &guard.OverflowError{Call: "f", Size: 1<<16 - 512}, []error{guard.ErrOverflow}, "f did not fit on a stack of 64 KiB; give it"},
		{"pool size", func() error { _, err := guard.NewPool(guard.Growing, 1); return err }(), []error{mmapstack.ErrSize}, " is 1, must be 4096 to "},
		{"policy of a pool", func() error { _, err := guard.NewPool(guard.Policy(7), 0); return err }(), []error{guard.ErrPolicy}, "unknown policy 7"},
		{"policy of a stack", func() error { _, err := guard.New(guard.Policy(255), 0); return err }(), []error{guard.ErrPolicy}, "unknown policy 255"},
		{"stack size", func() error { _, err := guard.New(guard.Strict, -1); return err }(), []error{mmapstack.ErrSize}, "stack size is -1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, is := range tt.is {
				require.ErrorIs(t, tt.err, is)
			}
			require.ErrorContains(t, tt.err, tt.text)
		})
	}
	require.Equal(t, "growing strict Policy(7)", guard.Growing.String()+" "+guard.Strict.String()+" "+guard.Policy(7).String())
}

func TestPortableInstallSaysWhy(t *testing.T) {
	if stackhop.Backend().Name != "portable" {
		t.Skip("this is about the portable backend")
	}
	err := guard.Install()
	require.ErrorIs(t, err, guard.ErrTrap)
	require.ErrorIs(t, err, stackhop.ErrGrowth)
	require.NoError(t, guard.Remove())
	s, err := guard.New(guard.Growing, 0)
	require.NoError(t, err, "the runtime grows stacks there")
	require.NoError(t, s.Close())
}
