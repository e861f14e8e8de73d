package join_test

import (
	"errors"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/cancel"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/join"
	"github.com/stackhop/stackhop/mmapstack"
)

var errOne, errTwo = errors.New("one"), errors.New("two")

type body = func(*ctx.Task) error

func fails(err error) body { return func(*ctx.Task) error { return err } }

// logs tells when it begins and how it ends.
func logs(log *[]string, name string, f body) body {
	return func(t *ctx.Task) error {
		*log = append(*log, name)
		how := name + " unwound"
		defer func() { *log = append(*log, how) }()
		err := f(t)
		how = name + " ends"
		return err
	}
}

func TestAllWithArmsThatEndAtOnce(t *testing.T) {
	everywhere(t, func(t *testing.T, s join.Size) {
		var log []string
		require.NoError(t, s.All())
		require.NoError(t, s.All(logs(&log, "a", fails(nil)), logs(&log, "b", fails(nil))))
		require.Equal(t, []string{"a", "a ends", "b", "b ends"}, log)
	})
}

func TestAllWaitsForAll(t *testing.T) {
	everywhere(t, func(t *testing.T, s join.Size) {
		for n := range 5 {
			gates := make([]gate, n)
			var count atomic.Int32
			var bodies []body
			for i := range n {
				bodies = append(bodies, func(task *ctx.Task) error {
					err := gates[i].wait(task)
					count.Add(1)
					return err
				})
				gates[i].openSoon(t)
			}
			require.NoError(t, s.All(bodies...))
			require.EqualValues(t, n, count.Load())
		}
	})
}

func TestEachCallsOneBodyWithAllNumbers(t *testing.T) {
	everywhere(t, func(t *testing.T, s join.Size) {
		var seen []int
		for n := -1; n < 4; n++ {
			seen = nil
			require.NoError(t, s.Each(n, func(_ *ctx.Task, i int) error { seen = append(seen, i); return nil }))
			require.Equal(t, []int{0, 1, 2, 3}[:max(n, 0)], append([]int{}, seen...))
		}
		require.ErrorIs(t, s.Each(9, func(_ *ctx.Task, i int) error {
			seen = append(seen, i)
			if i == 2 {
				return errTwo
			}
			return nil
		}), errTwo)
		require.Equal(t, []int{0, 1, 2, 0, 1, 2}, seen)
		require.ErrorIs(t, s.Each(1, nil), ctx.ErrNilBody)
		require.NoError(t, s.Each(0, nil))
	})
}

func TestAllSuspendsOnlyTheParent(t *testing.T) {
	for name, size := range sizes {
		t.Run(name, func(t *testing.T) {
			var log []string
			var a, b gate
			p := spawn(t, func(*ctx.Task) {
				err := size.All(logs(&log, "a", a.wait), logs(&log, "b", b.wait), logs(&log, "c", fails(nil)))
				require.NoError(t, err)
				log = append(log, "joined")
			}, ctx.WithStrictStack(128<<10))
			require.Equal(t, []string{"a", "b", "c", "c ends"}, log)
			require.True(t, b.open())
			log = append(log, "opened b")
			require.True(t, a.open())
			log = append(log, "opened a")
			ended(t, p)
			require.Equal(t, []string{"a", "b", "c", "c ends", "b ends", "opened b", "a ends", "joined", "opened a"}, log)
		})
	}
}

func TestAllFirstErrorCancelsTheRest(t *testing.T) {
	for name, size := range sizes {
		t.Run(name+"/later", func(t *testing.T) {
			var log []string
			var gates [3]gate
			var err error
			p := spawn(t, func(*ctx.Task) {
				err = size.All(
					logs(&log, "a", gates[0].wait),
					logs(&log, "b", func(task *ctx.Task) error { _ = gates[1].wait(task); return errOne }),
					logs(&log, "c", gates[2].wait))
				log = append(log, "joined")
			}, ctx.WithStrictStack(128<<10))
			require.True(t, gates[1].open())
			ended(t, p)
			require.Equal(t, errOne, err)
			require.Equal(t, []string{"a", "b", "c", "b ends", "c unwound", "a unwound", "joined"}, log)
			require.False(t, gates[0].open())
			require.False(t, gates[2].open())
		})
		t.Run(name+"/at once", func(t *testing.T) {
			var log []string
			var g gate
			p := spawn(t, func(*ctx.Task) {
				err := size.All(logs(&log, "a", g.wait), logs(&log, "b", fails(errOne)), logs(&log, "c", fails(errTwo)))
				require.Equal(t, errOne, err)
			})
			ended(t, p)
			require.Equal(t, []string{"a", "b", "b ends", "a unwound"}, log, "c is not begun")
		})
	}
}

func TestHowArmsEnd(t *testing.T) {
	everywhere(t, func(t *testing.T, s join.Size) {
		var pe *ctx.PanicError
		err := s.All(fails(nil), func(*ctx.Task) error { panic(errTwo) })
		require.ErrorAs(t, err, &pe)
		require.ErrorIs(t, err, errTwo)
		require.ErrorIs(t, s.All(func(*ctx.Task) error { runtime.Goexit(); return nil }), ctx.ErrGoexit)
		require.ErrorIs(t, s.All(nil), ctx.ErrNilBody)
		require.ErrorIs(t, s.All(func(task *ctx.Task) error {
			require.ErrorIs(t, task.Cancel(errOne), cancel.ErrCancelPending)
			cancel.Here()
			return nil
		}), errOne)
	})
}

func TestBadSizes(t *testing.T) {
	for _, size := range []join.Size{-1, 1, mmapstack.MinSize - 1, mmapstack.MaxSize + 1} {
		for _, p := range parents[:2] {
			p.run(t, func() {
				begun := false
				err := size.All(func(*ctx.Task) error { begun = true; return nil })
				require.ErrorIs(t, err, ctx.ErrOption)
				var oe *ctx.OptionError
				require.ErrorAs(t, err, &oe)
				require.Equal(t, int(size), oe.Value)
				require.False(t, begun)
			})
		}
	}
}

func TestAnyFirstEndWins(t *testing.T) {
	for name, size := range sizes {
		t.Run(name, func(t *testing.T) {
			var log []string
			var gates [3]gate
			var won int
			var err error
			p := spawn(t, func(*ctx.Task) {
				won, err = size.Any(
					logs(&log, "a", gates[0].wait),
					logs(&log, "b", func(task *ctx.Task) error { _ = gates[1].wait(task); return errOne }),
					logs(&log, "c", gates[2].wait))
				log = append(log, "joined")
			})
			require.True(t, gates[1].open())
			ended(t, p)
			require.Equal(t, 1, won)
			require.Equal(t, errOne, err)
			require.Equal(t, []string{"a", "b", "c", "b ends", "c unwound", "a unwound", "joined"}, log)
		})
	}
}

func TestAnyWinnerDuringSpawning(t *testing.T) {
	everywhere(t, func(t *testing.T, s join.Size) {
		var log []string
		var g gate
		won, err := s.Any(logs(&log, "a", g.wait), logs(&log, "b", fails(nil)), logs(&log, "c", fails(errTwo)))
		require.NoError(t, err)
		require.Equal(t, 1, won)
		require.Equal(t, []string{"a", "b", "b ends", "a unwound"}, log)
	})
}

// The first arm is let go by the second's body, before Any could wait.
func TestAnyWinnerDuringSpawningOfAnother(t *testing.T) {
	everywhere(t, func(t *testing.T, s join.Size) {
		var log []string
		var a, b gate
		won, err := s.Any(logs(&log, "a", a.wait),
			logs(&log, "b", func(task *ctx.Task) error { a.open(); return b.wait(task) }),
			logs(&log, "c", fails(nil)))
		require.NoError(t, err)
		require.Zero(t, won)
		require.Equal(t, []string{"a", "b", "a ends", "b unwound"}, log)
	})
}

func TestRace(t *testing.T) {
	everywhere(t, func(t *testing.T, s join.Size) {
		var log []string
		var g gate
		won, err := s.Race(fails(errOne), logs(&log, "b", g.wait), logs(&log, "c", fails(nil)), fails(nil))
		require.NoError(t, err)
		require.Equal(t, 2, won)
		require.Equal(t, []string{"b", "c", "c ends", "b unwound"}, log)

		won, err = s.Race(fails(errOne), fails(errTwo))
		require.ErrorIs(t, err, errOne)
		require.ErrorIs(t, err, errTwo)
		require.Equal(t, "one\ntwo", err.Error())
		require.Equal(t, -1, won)
	})
}

func TestNoArms(t *testing.T) {
	won, err := join.Any()
	require.Equal(t, -1, won)
	require.ErrorIs(t, err, join.ErrNoArms)
	won, err = join.Race()
	require.Equal(t, -1, won)
	require.ErrorIs(t, err, join.ErrNoArms)
	require.NoError(t, join.All())
}

// Arms are children: whoever cancels a loser finds why.
func TestCausesOfLosers(t *testing.T) {
	var g gate
	var cause error
	loser := func(task *ctx.Task) error {
		defer func() { cause = task.Err() }()
		return g.wait(task)
	}
	_, err := join.Any(loser, fails(nil))
	require.NoError(t, err)
	require.ErrorIs(t, cause, join.ErrLost)
	require.ErrorIs(t, join.All(loser, fails(errOne)), errOne)
	require.ErrorIs(t, cause, errOne)
	var ce *cancel.Error
	require.ErrorAs(t, cause, &ce)
}
