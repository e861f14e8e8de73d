package join_test

import (
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/join"
)

func TestScopeWaitsForWhatItStarted(t *testing.T) {
	everywhere(t, func(t *testing.T, s join.Size) {
		gates := make([]gate, 6)
		var done atomic.Int32
		wait := func(i int) body {
			return func(task *ctx.Task) error {
				gates[i].openSoon(t)
				err := gates[i].wait(task)
				done.Add(1)
				return err
			}
		}
		require.NoError(t, s.Within(func(sc *join.Scope) error {
			sc.Go(wait(0))
			sc.Go(wait(1))
			sc.Go(fails(nil))
			require.NoError(t, sc.Wait())
			require.EqualValues(t, 2, done.Load())
			require.NoError(t, sc.Wait())
			sc.Go(wait(2))
			sc.Go(func(task *ctx.Task) error { // an arm starts others
				sc.Go(wait(3))
				err := wait(4)(task)
				sc.Go(wait(5))
				return err
			})
			return nil
		}))
		require.EqualValues(t, 6, done.Load())
	})
}

func TestScopeFirstErrorCancelsTheRest(t *testing.T) {
	for name, size := range sizes {
		t.Run(name, func(t *testing.T) {
			var log []string
			var a, b, c gate
			var got, again error
			p := spawn(t, func(*ctx.Task) {
				err := size.Within(func(s *join.Scope) error {
					s.Go(logs(&log, "a", a.wait))
					s.Go(logs(&log, "b", func(task *ctx.Task) error { _ = b.wait(task); return errOne }))
					s.Go(logs(&log, "c", c.wait))
					got = s.Wait()
					s.Go(logs(&log, "never", fails(nil)))
					again = s.Wait()
					return errTwo
				})
				require.Equal(t, errOne, err, "the first")
			}, ctx.WithStrictStack(128<<10))
			require.True(t, b.open())
			ended(t, p)
			require.Equal(t, errOne, got)
			require.Equal(t, errOne, again)
			require.Equal(t, []string{"a", "b", "c", "b ends", "c unwound", "a unwound"}, log)
		})
	}
}

func TestScopeFunctionFails(t *testing.T) {
	everywhere(t, func(t *testing.T, s join.Size) {
		var log []string
		var g gate
		require.Equal(t, errOne, s.Within(func(sc *join.Scope) error {
			sc.Go(logs(&log, "a", g.wait))
			return errOne
		}))
		require.PanicsWithValue(t, "on purpose", func() {
			_ = s.Within(func(sc *join.Scope) error {
				sc.Go(logs(&log, "b", g.wait))
				panic("on purpose")
			})
		})
		require.Equal(t, []string{"a", "a unwound", "b", "b unwound"}, log)
	})
}

func TestScopeMisuse(t *testing.T) {
	everywhere(t, func(t *testing.T, s join.Size) {
		var kept *join.Scope
		require.ErrorIs(t, s.Within(func(sc *join.Scope) error {
			kept = sc
			sc.Go(func(*ctx.Task) error {
				require.ErrorIs(t, sc.Wait(), join.ErrNotOwner)
				return nil
			})
			sc.Go(nil)
			return nil
		}), ctx.ErrNilBody)
		require.Panics(t, func() { kept.Go(fails(nil)) })
		require.ErrorIs(t, kept.Wait(), join.ErrNotOwner)
		require.ErrorIs(t, s.Within(func(sc *join.Scope) error {
			sc.Go(func(*ctx.Task) error { runtime.Goexit(); return nil })
			return nil
		}), ctx.ErrGoexit)
	})
	require.ErrorIs(t, join.Size(1).Within(func(sc *join.Scope) error { sc.Go(fails(nil)); return sc.Wait() }), ctx.ErrOption)
}

// Arms come and go without end, from many goroutines: their records serve again.
func TestScopeFromManyGoroutines(t *testing.T) {
	n := 2000
	if testing.Short() {
		n = 100
	}
	var count atomic.Int64
	require.NoError(t, join.Within(func(s *join.Scope) error {
		for range 4 {
			var g gate
			s.Go(func(task *ctx.Task) error { // from here on it runs on another thread
				g.openSoon(t)
				if err := g.wait(task); err != nil {
					return err
				}
				for range n {
					s.Go(func(*ctx.Task) error { count.Add(1); return nil })
				}
				return nil
			})
		}
		return nil
	}))
	require.EqualValues(t, 4*n, count.Load())
}

func TestScopeManyGoroutinesOneFails(t *testing.T) {
	n := 300
	if testing.Short() {
		n = 20
	}
	for range n {
		var begun, over atomic.Int64
		err := join.Within(func(s *join.Scope) error {
			for i := range 3 {
				var g gate
				s.Go(func(task *ctx.Task) error {
					begun.Add(1)
					defer over.Add(1)
					g.openSoon(t)
					if err := g.wait(task); err != nil {
						return err
					}
					for range 5 {
						s.Go(func(task *ctx.Task) error {
							begun.Add(1)
							defer over.Add(1)
							var never gate
							return never.wait(task)
						})
					}
					if i == 1 {
						return errOne
					}
					return nil
				})
			}
			return nil
		})
		require.Equal(t, errOne, err)
		require.Equal(t, begun.Load(), over.Load())
	}
}

// An owner that does something else finds the others cancelled all the same.
func TestScopeCancelsAtOnce(t *testing.T) {
	everywhere(t, func(t *testing.T, s join.Size) {
		var log []string
		var a, b gate
		require.Equal(t, errOne, s.Within(func(sc *join.Scope) error {
			sc.Go(logs(&log, "a", a.wait))
			sc.Go(func(task *ctx.Task) error { _ = b.wait(task); return errOne })
			require.NoError(t, sc.Err())
			b.open()
			log = append(log, "opened b")
			require.Equal(t, errOne, sc.Err())
			return nil
		}))
		require.Equal(t, []string{"a", "a unwound", "opened b"}, log)
	})
}

func TestScopeOptions(t *testing.T) {
	everywhere(t, func(t *testing.T, s join.Size) {
		require.NoError(t, s.Within(func(sc *join.Scope) error {
			for _, opts := range [][]ctx.Option{
				{ctx.WithName("x")},
				{ctx.WithName("x"), ctx.WithNativeStack()},
				{ctx.WithStrictStack(32 << 10), ctx.WithName("y"), ctx.WithName("z"), ctx.WithName("x")},
			} {
				ran := false
				sc.Go(func(task *ctx.Task) error {
					ran = true
					require.Contains(t, task.String(), `"x"`)
					return nil
				}, opts...)
				require.True(t, ran)
			}
			return nil
		}))
		require.ErrorIs(t, s.Within(func(sc *join.Scope) error {
			sc.Go(fails(nil), ctx.WithNativeStack(), ctx.WithStrictStack(1<<20))
			return nil
		}), ctx.ErrOption)
	})
}
