package join_test

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/cancel"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/join"
)

// combinators are all ways to wait for two arms.
var combinators = map[string]func(s join.Size, a, b body) error{
	"All":    func(s join.Size, a, b body) error { return s.All(a, b) },
	"Any":    func(s join.Size, a, b body) error { _, err := s.Any(a, b); return err },
	"Race":   func(s join.Size, a, b body) error { _, err := s.Race(a, b); return err },
	"Select": func(s join.Size, a, b body) error { _, err := s.Select(join.Body(a), join.Body(b)); return err },
	"Select among others": func(s join.Size, a, b body) error {
		_, err := s.Select(join.Body(a), join.After(time.Hour), join.Body(b), join.Recv(make(chan int), nil),
			join.Recv(make(chan int), nil))
		return err
	},
	"Scope": func(s join.Size, a, b body) error {
		return s.Within(func(sc *join.Scope) error { sc.Go(a); sc.Go(b); return sc.Wait() })
	},
	"Scope left alone": func(s join.Size, a, b body) error {
		return s.Within(func(sc *join.Scope) error { sc.Go(a); sc.Go(b); return nil })
	},
}

func eachCombinator(t *testing.T, test func(t *testing.T, wait func(a, b body) error)) {
	for name, wait := range combinators {
		for size, s := range sizes {
			t.Run(name+"/"+size, func(t *testing.T) {
				test(t, func(a, b body) error { return wait(s, a, b) })
			})
		}
	}
}

func TestCancelWhileSuspendedUnwindsArmsFirst(t *testing.T) {
	eachCombinator(t, func(t *testing.T, wait func(a, b body) error) {
		var log []string
		var a, b gate
		p := spawn(t, func(*ctx.Task) {
			_ = logs(&log, "p", func(*ctx.Task) error {
				err := wait(logs(&log, "a", a.wait), logs(&log, "b", b.wait))
				t.Error("the combinator returned", err)
				return nil
			})(nil)
		}, ctx.WithStrictStack(128<<10))
		require.NoError(t, p.Cancel(errOne))
		require.True(t, p.Done())
		require.ErrorIs(t, p.Err(), errOne)
		require.Equal(t, []string{"p", "a", "b", "b unwound", "a unwound", "p unwound"}, log)
		require.False(t, a.open())
		require.False(t, b.open())
	})
}

// An arm runs while another goroutine cancels the parent.
func TestCancelWhileAnArmRunsElsewhere(t *testing.T) {
	eachCombinator(t, func(t *testing.T, wait func(a, b body) error) {
		var log []string
		var a, b, again gate
		running, goOn := make(chan bool), make(chan bool)
		p := spawn(t, func(*ctx.Task) {
			_ = logs(&log, "p", func(*ctx.Task) error {
				return wait(logs(&log, "a", a.wait), logs(&log, "b", func(task *ctx.Task) error {
					_ = b.wait(task)
					running <- true
					<-goOn
					return again.wait(task)
				}))
			})(nil)
		}, ctx.WithStrictStack(128<<10))
		opened := make(chan bool)
		go func() { opened <- b.open() }()
		<-running
		require.ErrorIs(t, p.Cancel(errOne), cancel.ErrCancelPending)
		require.False(t, p.Done())
		close(goOn)
		require.True(t, <-opened)
		require.ErrorIs(t, p.Wait(), errOne)
		require.Len(t, log, 6)
		require.Equal(t, "p unwound", log[5])
		require.False(t, again.open())
	})
}

// An arm that runs on top of its parent, for a moment or after a resume,
// cancels it: inner first.
func TestArmCancelsItsParent(t *testing.T) {
	for _, atOnce := range []bool{true, false} {
		eachCombinator(t, func(t *testing.T, wait func(a, b body) error) {
			var log []string
			var a, b, c gate
			var p *ctx.Task
			p, err := ctx.Spawn(func(task *ctx.Task) {
				p = task
				_ = logs(&log, "p", func(*ctx.Task) error {
					return wait(logs(&log, "a", a.wait), logs(&log, "b", func(task *ctx.Task) error {
						if !atOnce {
							_ = b.wait(task)
						}
						require.ErrorIs(t, p.Cancel(errOne), cancel.ErrCancelPending)
						log = append(log, "asked")
						return c.wait(task)
					}))
				})(nil)
			}, ctx.WithStrictStack(128<<10))
			require.NoError(t, err)
			if !atOnce {
				require.True(t, b.open())
			}
			require.True(t, p.Done())
			require.ErrorIs(t, p.Err(), errOne)
			// Cancelling unwinds what is suspended at once: a, before b goes on.
			require.Equal(t, []string{"p", "a", "b", "a unwound", "asked", "b unwound", "p unwound"}, log)
		})
	}
}

func TestCombinatorsAfterACancelOfTheCaller(t *testing.T) {
	eachCombinator(t, func(t *testing.T, wait func(a, b body) error) {
		var log []string
		p := spawn(t, func(task *ctx.Task) {
			_ = logs(&log, "p", func(*ctx.Task) error {
				require.ErrorIs(t, task.Cancel(errOne), cancel.ErrCancelPending)
				return wait(logs(&log, "a", fails(nil)), logs(&log, "b", fails(nil)))
			})(nil)
		})
		require.True(t, p.Done())
		require.ErrorIs(t, p.Err(), errOne)
		require.Equal(t, []string{"p", "p unwound"}, log)
	})
}

func TestCombinatorsInDeferredCallsOfACancel(t *testing.T) {
	eachCombinator(t, func(t *testing.T, wait func(a, b body) error) {
		var log []string
		var g, never gate
		p := spawn(t, func(task *ctx.Task) {
			defer func() {
				defer func() { log = append(log, "recovered nothing") }()
				require.NoError(t, wait(logs(&log, "a", fails(nil)), fails(nil)), "arms that end at once are fine")
				require.ErrorIs(t, wait(logs(&log, "b", never.wait), logs(&log, "c", never.wait)), cancel.ErrUnwinding)
			}()
			_ = g.wait(task)
		}, ctx.WithStrictStack(128<<10))
		require.NoError(t, p.Cancel(errOne))
		require.ErrorIs(t, p.Err(), errOne)
		require.Equal(t, []string{"a", "a ends", "b", "c", "c unwound", "b unwound", "recovered nothing"}, log)
		require.False(t, never.open())
	})
}

// A caller that has locked its thread cannot suspend.
func TestCombinatorsOnALockedThread(t *testing.T) {
	if portable() {
		t.Skip("portable backend: a locked body suspends like any other")
	}
	eachCombinator(t, func(t *testing.T, wait func(a, b body) error) {
		var log []string
		var never gate
		p := spawn(t, func(*ctx.Task) {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			require.NoError(t, wait(fails(nil), fails(nil)))
			err := wait(logs(&log, "a", never.wait), logs(&log, "b", never.wait))
			require.ErrorIs(t, err, stackhop.ErrThreadLocked)
		}, ctx.WithStrictStack(128<<10))
		ended(t, p)
		require.Equal(t, []string{"a", "b", "b unwound", "a unwound"}, log)
	})
}

// Somebody else cancels an arm: that is how it ends.
func TestCancelOfAnArm(t *testing.T) {
	for name, size := range sizes {
		t.Run(name, func(t *testing.T) {
			var g gate
			var arm *ctx.Task
			var err error
			p := spawn(t, func(*ctx.Task) {
				err = size.All(func(task *ctx.Task) error { arm = task; return g.wait(task) }, g.wait)
			})
			require.NoError(t, arm.Cancel(errTwo))
			ended(t, p)
			require.ErrorIs(t, err, errTwo)
		})
	}
}

// Trees of joins are cancelled from outside and from other threads while gates
// open on others: every deferred call runs once, and nothing is left.
func TestCancelFromOtherThreads(t *testing.T) {
	rounds := 400
	if testing.Short() {
		rounds = 20
	}
	for round := range rounds {
		size := []join.Size{0, 16 << 10}[round%2]
		var begun, over atomic.Int64
		var gates [8]gate
		leaf := func(i int) body {
			return func(task *ctx.Task) error {
				begun.Add(1)
				defer over.Add(1)
				for k := range 3 {
					if err := gates[(i+k)%len(gates)].wait(task); err != nil {
						return err
					}
				}
				return nil
			}
		}
		branch := func(i int) body {
			return func(task *ctx.Task) error {
				begun.Add(1)
				defer over.Add(1)
				switch i % 4 {
				case 0:
					return size.All(leaf(i), leaf(i+1), leaf(i+2))
				case 1:
					_, err := size.Any(leaf(i), leaf(i+1))
					return err
				case 2:
					_, err := size.Select(join.Body(leaf(i)), join.After(time.Duration(round)*time.Microsecond), join.Body(leaf(i+1)))
					return err
				}
				return size.Within(func(s *join.Scope) error {
					for k := range 3 {
						s.Go(leaf(i + k))
					}
					return s.Wait()
				})
			}
		}
		p := spawn(t, func(*ctx.Task) {
			_ = size.All(branch(round), branch(round+1), branch(round+2))
		}, ctx.WithStrictStack(1<<20))
		var wg sync.WaitGroup
		var stop atomic.Bool
		for i := range 2 {
			wg.Go(func() {
				for !stop.Load() {
					for k := range gates {
						gates[(k+i*3)%len(gates)].open()
					}
					runtime.Gosched()
				}
			})
		}
		for range 2 {
			wg.Go(func() {
				for range round % 50 {
					runtime.Gosched()
				}
				if err := p.Cancel(errOne); err != nil && err != cancel.ErrCancelPending {
					t.Error(err)
				}
			})
		}
		err := p.Wait()
		stop.Store(true)
		wg.Wait()
		if err != nil {
			require.ErrorIs(t, err, errOne)
		}
		require.Equal(t, begun.Load(), over.Load())
	}
}
