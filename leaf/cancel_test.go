package leaf_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/cancel"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/leaf"
	"github.com/stackhop/stackhop/resume"
)

// crowd spawns n tasks that wait at s, and notes who got what.
func crowd(t *testing.T, s subject, n int, opts ...ctx.Option) (tasks []*ctx.Task, got *[]int) {
	got = new([]int)
	for i := range n {
		tasks = append(tasks, spawn(t, func(*ctx.Task) {
			noError(t, s.wait())
			*got = append(*got, i)
		}, opts...))
	}
	require.Equal(t, n, s.waiters())
	return tasks, got
}

func TestCancelWhileQueued(t *testing.T) {
	for where, call := range map[string]func(func()){"same thread": func(f func()) { f() }, "other thread": elsewhere} {
		for at := range 3 {
			t.Run(fmt.Sprint(where, ", place ", at), func(t *testing.T) {
				onEachSubject(t, func(t *testing.T, s subject) {
					tasks, got := crowd(t, s, 3)
					call(func() { noError(t, tasks[at].Cancel(errWhy)) })
					require.True(t, tasks[at].Done())
					require.Equal(t, 2, s.waiters())
					want := []int{0, 1, 2}
					want = append(want[:at], want[at+1:]...)
					s.give()
					s.give()
					require.Equal(t, want, *got)
					s.empty(t)
				})
			})
		}
	}
}

func TestCancelOfAllWhoAreQueued(t *testing.T) {
	onEachSubject(t, func(t *testing.T, s subject) {
		tasks, got := crowd(t, s, 5)
		for _, i := range []int{2, 0, 4, 3, 1} {
			cancelled(t, tasks[i])
		}
		require.Zero(t, s.waiters())
		s.give()
		require.Empty(t, *got)
		if s.try != nil {
			require.True(t, s.try())
		}
		s.empty(t)
	})
}

// The waiter has been resumed, and stands in the queue of its scheduler.
func TestCancelAfterTheHandOver(t *testing.T) {
	for where, call := range map[string]func(func()){"same thread": func(f func()) { f() }, "other thread": elsewhere} {
		t.Run(where, func(t *testing.T) {
			onEachSubject(t, func(t *testing.T, s subject) {
				home := new(depot)
				tasks, got := crowd(t, s, 3, ctx.WithHome(home))
				s.give()
				require.Empty(t, *got)
				require.Len(t, home.hs, 1)
				require.Equal(t, 2, s.waiters())
				call(func() { noError(t, tasks[0].Cancel(errWhy)) })
				require.True(t, tasks[0].Done())
				if s.spends {
					require.Equal(t, 2, s.waiters(), "its value was sent")
					s.give()
				}
				require.Equal(t, 1, s.waiters(), "the next one has it")
				require.Len(t, home.hs, 2)
				require.ErrorIs(t, home.next(), resume.ErrStale)
				require.NoError(t, home.next())
				for len(home.hs) != 0 { // Cond: the lock is next
					require.NoError(t, home.next())
				}
				require.Equal(t, []int{1}, *got)
				s.empty(t)
				cancelled(t, tasks[2])
			})
		})
	}
}

// Nobody else waits: the token is there for who comes.
func TestCancelAfterTheHandOverToTheLast(t *testing.T) {
	onEachSubject(t, func(t *testing.T, s subject) {
		home := new(depot)
		tasks, got := crowd(t, s, 1, ctx.WithHome(home))
		s.give()
		cancelled(t, tasks[0])
		require.Empty(t, *got)
		if s.try != nil && !s.spends {
			require.True(t, s.try())
		}
		s.empty(t)
	})
}

// A task that was asked to end unwinds instead of waiting: it never was in the line.
func TestCancelBeforeTheWait(t *testing.T) {
	onEachSubject(t, func(t *testing.T, s subject) {
		deferred := false
		task := spawn(t, func(task *ctx.Task) {
			defer func() { deferred = true }()
			require.ErrorIs(t, task.Cancel(errWhy), cancel.ErrCancelPending)
			_ = s.wait()
			t.Error("not reached")
		})
		require.True(t, task.Done())
		require.True(t, deferred)
		require.Zero(t, s.waiters())
		s.empty(t)
		_, got := crowd(t, s, 1)
		s.give()
		require.Equal(t, []int{0}, *got)
		s.empty(t)
	})
}

// A task that finds what it wants does not suspend, and is not unwound.
func TestWhatIsThereIsTakenEvenWhileUnwinding(t *testing.T) {
	onEachSubject(t, func(t *testing.T, s subject) {
		if s.try == nil {
			return // never there
		}
		var inDefer []error
		task := spawn(t, func(task *ctx.Task) {
			defer func() {
				inDefer = append(inDefer, s.wait())
				s.give()
				inDefer = append(inDefer, s.wait())
				inDefer = append(inDefer, s.wait())
			}()
			_ = s.wait()
		})
		cancelled(t, task)
		require.ErrorIs(t, inDefer[0], leaf.ErrUnwinding)
		require.NoError(t, inDefer[1])
		require.ErrorIs(t, inDefer[2], leaf.ErrUnwinding)
		require.Zero(t, s.waiters())
	})
}

// The waiter is doomed, but its deferred calls do not run before those of a
// child that runs on another thread: it must not keep what it cannot use.
func TestAWaiterThatWaitsToBeUnwoundIsPassedOver(t *testing.T) {
	for _, when := range []string{"before the hand-over", "after the hand-over"} {
		t.Run(when, func(t *testing.T) {
			onEachSubject(t, func(t *testing.T, s subject) {
				childRuns, letChildEnd, childEnded := make(chan struct{}), make(chan struct{}), make(chan struct{})
				home := new(depot)
				var opts []ctx.Option
				if when == "after the hand-over" {
					opts = append(opts, ctx.WithHome(home))
				}
				doomed := spawn(t, func(task *ctx.Task) {
					var start leaf.Event
					_ = spawn(t, func(*ctx.Task) {
						noError(t, start.Wait())
						close(childRuns)
						<-letChildEnd
					}, ctx.WithParent(task))
					go func() {
						defer close(childEnded)
						start.Set()
					}()
					<-childRuns
					noError(t, s.wait())
					t.Error("not reached")
				}, opts...)
				_, got := crowdBehind(t, s, 1)
				if when == "after the hand-over" {
					s.give()
				}
				require.ErrorIs(t, doomed.Cancel(errWhy), cancel.ErrCancelPending)
				if when == "before the hand-over" {
					s.give()
					require.Equal(t, []int{0}, *got)
				}
				close(letChildEnd)
				<-childEnded
				require.True(t, doomed.Done())
				if s.spends && when == "after the hand-over" {
					s.give()
				}
				require.Equal(t, []int{0}, *got)
				s.empty(t)
			})
		})
	}
}

// crowdBehind is crowd when others wait already.
func crowdBehind(t *testing.T, s subject, n int) (tasks []*ctx.Task, got *[]int) {
	before := s.waiters()
	got = new([]int)
	for i := range n {
		tasks = append(tasks, spawn(t, func(*ctx.Task) {
			noError(t, s.wait())
			*got = append(*got, i)
		}))
	}
	require.Equal(t, before+n, s.waiters())
	return tasks, got
}

// Two are granted in one go. The first one, when it runs, cancels the second.
func TestCancelWhileBeingHandedOver(t *testing.T) {
	type step struct {
		wait func() error
		give func()
		rest func() bool // whether what the second had is there
	}
	for name, make := range map[string]func() step{
		"Semaphore": func() step {
			s := leaf.NewSemaphore(2)
			_ = s.Acquire(2)
			return step{func() error { return s.Acquire(1) }, func() { s.Release(2) }, func() bool { return s.TryAcquire(1) && !s.TryAcquire(1) }}
		},
		"RWMutex, readers": func() step {
			m := new(leaf.RWMutex)
			_ = m.Lock()
			return step{m.RLock, m.Unlock, func() bool { m.RUnlock(); return m.TryLock() }}
		},
		"Event": func() step {
			e := new(leaf.Event)
			return step{e.Wait, e.Broadcast, func() bool { return !e.IsSet() }}
		},
		"WaitGroup": func() step {
			w := new(leaf.WaitGroup)
			w.Add(1)
			return step{w.Wait, w.Done, func() bool { return w.Wait() == nil }}
		},
		"Chan, closed": func() step {
			c := new(leaf.Chan[int])
			return step{
				func() error { _, err := c.Recv(); require.ErrorIs(t, err, leaf.ErrClosed); return nil },
				func() { _ = c.Close() },
				func() bool { _, err := c.Recv(); return err == leaf.ErrClosed },
			}
		},
	} {
		for where, call := range map[string]func(func()){"same thread": func(f func()) { f() }, "other thread": elsewhere} {
			t.Run(name+", "+where, func(t *testing.T) {
				s := make()
				var second *ctx.Task
				order := ""
				spawn(t, func(*ctx.Task) {
					noError(t, s.wait())
					order += "first "
					call(func() { noError(t, second.Cancel(errWhy)) })
				})
				second = spawn(t, func(*ctx.Task) {
					defer func() { order += "deferred " }()
					noError(t, s.wait())
					t.Error("not reached")
				})
				s.give()
				require.True(t, second.Done())
				require.Equal(t, "first deferred ", order)
				require.True(t, s.rest())
			})
		}
	}
}

// A cancelled waiter that blocked the line lets those behind it move up.
func TestThoseBehindMoveUp(t *testing.T) {
	t.Run("RWMutex", func(t *testing.T) {
		var m leaf.RWMutex
		require.NoError(t, m.RLock())
		writer := spawn(t, func(*ctx.Task) { noError(t, m.Lock()) })
		read := 0
		for range 3 {
			spawn(t, func(*ctx.Task) { noError(t, m.RLock()); read++ })
		}
		require.False(t, m.TryRLock())
		cancelled(t, writer)
		require.Equal(t, 3, read)
		for range 4 {
			m.RUnlock()
		}
		require.True(t, m.TryLock())
	})
	t.Run("Semaphore", func(t *testing.T) {
		s := leaf.NewSemaphore(10)
		require.NoError(t, s.Acquire(5))
		big := spawn(t, func(*ctx.Task) { noError(t, s.Acquire(10)) })
		small := 0
		for range 3 {
			spawn(t, func(*ctx.Task) { noError(t, s.Acquire(2)); small++ })
		}
		require.False(t, s.TryAcquire(1))
		cancelled(t, big)
		require.Equal(t, 2, small)
		s.Release(1)
		require.Equal(t, 3, small)
		s.Release(10)
		require.True(t, s.TryAcquire(10))
	})
}
