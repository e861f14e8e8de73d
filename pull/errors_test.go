package pull_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/mmapstack"
	"github.com/stackhop/stackhop/pull"
)

// A lodger is attached to a stack by somebody else.
type lodger struct{ stays error }

func (l *lodger) Vacate() error { return l.stays }

func TestErrors(t *testing.T) {
	if !asm() {
		t.Skip("on the portable backend stacks are not used: " + stackhop.Backend().Reason)
	}
	errStays := errors.New("stays")
	for _, row := range []struct {
		name string
		when func(t *testing.T, s *mmapstack.Stack, pool *mmapstack.Pool) error
		want error // nil: no error
	}{
		{"an iterator runs on the stack", func(t *testing.T, s *mmapstack.Stack, _ *mmapstack.Pool) error {
			_, stop, err := pull.PullOn(s, naturals)
			require.NoError(t, err)
			defer stop()
			_, _, err = pull.PullOn(s, naturals)
			return err
		}, stackhop.ErrNotDone},
		{"likewise, of two values", func(t *testing.T, s *mmapstack.Stack, _ *mmapstack.Pool) error {
			_, stop, err := pull.Pull2On(s, squares)
			require.NoError(t, err)
			defer stop()
			_, _, err = pull.Pull2On(s, squares)
			return err
		}, stackhop.ErrNotDone},
		{"a stranger lives on the stack", func(_ *testing.T, s *mmapstack.Stack, _ *mmapstack.Pool) error {
			s.Attach(1)
			defer s.Attach(nil)
			_, _, err := pull.PullOn(s, naturals)
			return err
		}, mmapstack.ErrBusy},
		{"a lodger leaves", func(t *testing.T, s *mmapstack.Stack, _ *mmapstack.Pool) error {
			s.Attach(&lodger{})
			_, stop, err := pull.PullOn(s, naturals)
			if err == nil {
				stop()
			}
			return err
		}, nil},
		{"a lodger stays", func(_ *testing.T, s *mmapstack.Stack, _ *mmapstack.Pool) error {
			s.Attach(&lodger{errStays})
			defer s.Attach(nil)
			_, _, err := pull.PullOn(s, naturals)
			return err
		}, errStays},
		{"the pool is closed", func(t *testing.T, _ *mmapstack.Stack, pool *mmapstack.Pool) error {
			require.NoError(t, pool.Close())
			_, _, err := pull.PullFrom(pool, naturals)
			return err
		}, mmapstack.ErrClosed},
		{"likewise, of two values", func(t *testing.T, _ *mmapstack.Stack, pool *mmapstack.Pool) error {
			require.NoError(t, pool.Close())
			_, _, err := pull.Pull2From(pool, squares)
			return err
		}, mmapstack.ErrClosed},
		{"the pool is at its limit", func(t *testing.T, _ *mmapstack.Stack, pool *mmapstack.Pool) error {
			_, stop, err := pull.PullFrom(pool, naturals)
			require.NoError(t, err)
			defer stop()
			_, _, err = pull.PullFrom(pool, naturals)
			return err
		}, mmapstack.ErrLimit},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, err := mmapstack.New(0)
			require.NoError(t, err)
			pool, err := mmapstack.NewPool(0, mmapstack.WithMax(1))
			require.NoError(t, err)
			err = row.when(t, s, pool)
			if row.want == nil {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, row.want)
			}
			require.Zero(t, pool.Stats().InUse)
			if !errors.Is(err, mmapstack.ErrClosed) {
				require.NoError(t, pool.Close())
			}
			require.NoError(t, s.Close())
		})
	}
}

func TestThreadLockKeptByTheIteratorIsAnError(t *testing.T) {
	if !asm() {
		t.Skip("iter.Pull ends the process then")
	}
	for _, s := range standIns(t) {
		for _, row := range []struct {
			name string
			seq  func(yield func(int) bool)
		}{
			{"at yield", func(yield func(int) bool) { lockThread(); yield(1) }},
			{"at the end", func(func(int) bool) { lockThread() }},
		} {
			t.Run(fmt.Sprint(s.name, " ", row.name), func(t *testing.T) {
				next, stop := s.pull(row.seq)
				defer stop()
				defer func() {
					err, _ := recover().(error)
					require.ErrorIs(t, err, stackhop.ErrThreadLocked)
					var detail *stackhop.ThreadLockError
					require.ErrorAs(t, err, &detail)
					require.Equal(t, 1, detail.External)
					_, ok := next()
					require.False(t, ok)
				}()
				next()
			})
		}
	}
}
