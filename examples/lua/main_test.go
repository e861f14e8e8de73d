package main

import (
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/internal/testsupport"
)

func TestMain(m *testing.M) { testsupport.Main(m) }

func Example() {
	main()
	// Output:
	// # producer, filter, consumer
	// 1 never
	// 2 odd
	// 3 or even
	// # permutations
	// b c a
	// c b a
	// c a b
	// a c b
	// b a c
	// a b c
	// # same fringe
	// true
	// false
	// # both ways
	// begins with [0 0]
	// [first] <nil> suspended
	// is given [1 1]
	// [second 2] <nil> suspended
	// is given [2 4]
	// [the end] <nil> dead
	// [] cannot resume dead coroutine dead
	// # errors and close
	// running normal false true
	// cannot resume normal coroutine
	// ctx: task panicked: no more dead
	// [OUTER] <nil>
	// closed in the midst of it
	// <nil> dead
	// cannot resume dead coroutine
}

// values unpacks a resume that must not fail.
func values(t *testing.T) func(values []any, err error) []any {
	return func(values []any, err error) []any {
		t.Helper()
		require.NoError(t, err)
		return values
	}
}

func TestValuesGoBothWays(t *testing.T) {
	ok := values(t)
	co := create(func(args ...any) []any {
		require.Equal(t, []any{1, 2}, args)
		require.Equal(t, []any{"x"}, yield("a", "b"))
		require.Empty(t, yield())
		return []any{"end"}
	})
	require.Equal(t, []any{"a", "b"}, ok(co.resume(1, 2)))
	require.Empty(t, ok(co.resume("x")))
	require.Equal(t, []any{"end"}, ok(co.resume()))
	require.Equal(t, "dead", co.status)
	_, err := co.resume()
	require.EqualError(t, err, "cannot resume dead coroutine")
}

func TestStatusRunningAndIsYieldable(t *testing.T) {
	main, isMain := running()
	require.True(t, isMain)
	require.False(t, isYieldable())
	require.Panics(t, func() { yield() })
	_, err := main.resume()
	require.EqualError(t, err, "cannot resume running coroutine")
	require.EqualError(t, main.close(), "cannot close running coroutine")

	var outer, inner *coroutine
	inner = create(func(...any) []any {
		require.Equal(t, []string{"running", "normal", "normal"}, []string{inner.status, outer.status, main.status})
		require.EqualError(t, outer.close(), "cannot close normal coroutine")
		me, isMain := running()
		require.Same(t, inner, me)
		require.False(t, isMain)
		require.True(t, isYieldable())
		yield()
		return nil
	})
	outer = create(func(...any) []any {
		values(t)(inner.resume())
		require.Equal(t, []string{"suspended", "running"}, []string{inner.status, outer.status})
		yield()
		return nil
	})
	require.Equal(t, "suspended", outer.status)
	values(t)(outer.resume())
	require.Equal(t, []string{"suspended", "running"}, []string{outer.status, main.status})
	values(t)(inner.resume()) // by somebody else than before
	require.Equal(t, "dead", inner.status)
	require.NoError(t, outer.close())
}

func TestErrorsAreResults(t *testing.T) {
	co := create(func(...any) []any {
		yield(1)
		panic(io.ErrNoProgress)
	})
	values(t)(co.resume())
	_, err := co.resume()
	require.ErrorIs(t, err, io.ErrNoProgress)
	require.Equal(t, "dead", co.status)
	require.ErrorIs(t, co.close(), io.ErrNoProgress)

	next := wrap(func(...any) []any { panic(io.ErrNoProgress) })
	_, err = next()
	require.ErrorIs(t, err, io.ErrNoProgress)
}

func TestClose(t *testing.T) {
	closed := 0
	open := func(inDefer func()) *coroutine {
		co := create(func(...any) []any {
			defer func() {
				closed++
				inDefer()
			}()
			yield()
			t.Error("went on after close")
			return nil
		})
		values(t)(co.resume())
		return co
	}
	co := open(func() {})
	require.NoError(t, co.close())
	require.Equal(t, 1, closed)
	require.Equal(t, "dead", co.status)
	require.NoError(t, co.close())
	require.Equal(t, 1, closed)

	require.ErrorIs(t, open(func() { panic(io.ErrNoProgress) }).close(), io.ErrNoProgress)

	fresh := create(func(...any) []any {
		t.Error("began")
		return nil
	})
	require.NoError(t, fresh.close())
	require.Equal(t, "dead", fresh.status)
}

func TestSameFringeStopsAtTheFirstDifference(t *testing.T) {
	visited := 0
	var deep node = leaf("x")
	for range 100 {
		deep = tree{deep, counted{&visited}}
	}
	require.True(t, sameFringe(deep, deep))
	visited = 0
	require.False(t, sameFringe(deep, leaf("y")))
	require.Zero(t, visited)
	require.False(t, sameFringe(tree{leaf("x"), leaf("y")}, leaf("x")))
}

type counted struct{ n *int }

func (c counted) walk() {
	*c.n++
	yield("counted")
}
