package leaf_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/cancel"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/leaf"
)

func TestValuesArriveInOrder(t *testing.T) {
	for _, capacity := range []int{0, 1, 3, 64} {
		t.Run(fmt.Sprint("cap=", capacity), func(t *testing.T) {
			c := leaf.NewChan[int](capacity)
			n := scale(1000)
			var got []int
			receiver := func(*ctx.Task) {
				for {
					v, err := c.Recv()
					if err != nil {
						require.ErrorIs(t, err, leaf.ErrClosed)
						return
					}
					got = append(got, v)
				}
			}
			sender := func(*ctx.Task) {
				for i := range n {
					noError(t, c.Send(i))
				}
				noError(t, c.Close())
			}
			for _, order := range [][]func(*ctx.Task){{sender, receiver}, {receiver, sender}} {
				got = nil
				c = leaf.NewChan[int](capacity)
				for _, body := range order {
					spawn(t, body)
				}
				require.Len(t, got, n)
				for i, v := range got {
					require.Equal(t, i, v)
				}
			}
		})
	}
}

func TestCloseEndsAllWhoWait(t *testing.T) {
	c := leaf.NewChan[int](1)
	require.NoError(t, c.Send(1))
	ends := 0
	for range 3 {
		spawn(t, func(*ctx.Task) { require.ErrorIs(t, c.Send(2), leaf.ErrClosed); ends++ })
	}
	go func() { _ = c.Send(3) }()
	eventually(t, "goroutine waits", func() bool { return leaf.ChanWaiters(c) == 4 })
	require.NoError(t, c.Close())
	require.Equal(t, 3, ends)
	v, err := c.Recv()
	require.NoError(t, err)
	require.Equal(t, 1, v)
	_, err = c.Recv()
	require.ErrorIs(t, err, leaf.ErrClosed)
}

// Values that cancelled receivers give back come first, in the order in which
// they were sent, whoever of them is cancelled first.
func TestValuesOfCancelledReceiversComeFirstAndInOrder(t *testing.T) {
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 2, 0}, {0, 2, 1}, {2, 0, 1}, {1, 0, 2}} {
		c, home := leaf.NewChan[int](2), new(depot)
		var tasks []*ctx.Task
		for range 3 {
			tasks = append(tasks, spawn(t, func(*ctx.Task) { _, _ = c.Recv() }, ctx.WithHome(home)))
		}
		for v := range 4 {
			require.NoError(t, c.Send(v))
		}
		require.Equal(t, 1, c.Len())
		for n, i := range order {
			cancelled(t, tasks[i])
			require.Equal(t, n+2, c.Len())
		}
		for v := range 4 {
			got, err := c.Recv()
			require.NoError(t, err)
			require.Equal(t, v, got, "cancelled in order %v", order)
		}
		require.Zero(t, c.Len())
	}
}

// What was given back does not stand in the way of the others, and is
// received once.
func TestAValueGivenBackGoesToWhoWaits(t *testing.T) {
	c, home := new(leaf.Chan[string]), new(depot)
	first := spawn(t, func(*ctx.Task) { _, _ = c.Recv() }, ctx.WithHome(home))
	require.NoError(t, c.Send("x"))
	got := make(chan string, 1)
	go func() {
		v, err := c.Recv()
		noError(t, err)
		got <- v
	}()
	eventually(t, "goroutine waits", func() bool { return leaf.ChanWaiters(c) == 1 })
	cancelled(t, first)
	require.Equal(t, "x", <-got)
	_, ok, err := c.TryRecv()
	require.NoError(t, err)
	require.False(t, ok)
}

// A receiver that is cancelled while it is on its way home, with its value: the
// deferred call finds that, though it cannot wait.
func TestAValueGivenBackIsFoundWhileUnwinding(t *testing.T) {
	c, home := leaf.NewChan[int](0), new(depot)
	var got []int
	var errs []error
	task := spawn(t, func(*ctx.Task) {
		defer func() {
			for range 2 {
				v, err := c.Recv()
				got, errs = append(got, v), append(errs, err)
			}
		}()
		_, _ = c.Recv()
		t.Error("a task that was cancelled goes on")
	}, ctx.WithHome(home))
	sent, err := c.TrySend(7)
	require.NoError(t, err)
	require.True(t, sent)
	require.Zero(t, c.Len())
	cancelled(t, task)
	require.Equal(t, []int{7, 0}, got)
	require.Equal(t, []error{nil, cancel.ErrUnwinding}, errs)
	require.Zero(t, c.Len())
}

func TestChanBetweenGoroutinesAndTasks(t *testing.T) {
	for _, capacity := range []int{0, 1, 5} {
		there, back := leaf.NewChan[int](capacity), leaf.NewChan[int](capacity)
		spawn(t, func(*ctx.Task) {
			for {
				v, err := there.Recv()
				if err != nil {
					noError(t, back.Close())
					return
				}
				noError(t, back.Send(v*v))
			}
		})
		for i := range 100 {
			require.NoError(t, there.Send(i))
			v, err := back.Recv()
			require.NoError(t, err)
			require.Equal(t, i*i, v)
		}
		require.NoError(t, there.Close())
		_, err := back.Recv()
		require.ErrorIs(t, err, leaf.ErrClosed)
	}
}

// A task that has waited at a channel again and again parks there without a look, as
// long as nothing has changed. Whatever has, it finds that.
func TestWhoHasWaitedOftenFindsWhatHasChanged(t *testing.T) {
	recv := func(c *leaf.Chan[int]) string {
		v, err := c.Recv()
		return outcome(fmt.Sprint("received ", v), err)
	}
	send := func(c *leaf.Chan[int]) string { return outcome("sent", c.Send(7)) }
	closes := func(c *leaf.Chan[int]) { require.NoError(t, c.Close()) }
	take := func(c *leaf.Chan[int]) {
		_, err := c.Recv()
		require.NoError(t, err)
	}
	for _, tc := range []struct {
		name     string
		capacity int
		call     func(*leaf.Chan[int]) string
		serve    func(*leaf.Chan[int]) // who waits in it
		change   func(*leaf.Chan[int])
		want     string
	}{
		{"receiver, closed", 0, recv, nil, closes, "stackhop: closed"},
		{"receiver, a value in the buffer", 2, recv, nil, func(c *leaf.Chan[int]) { require.NoError(t, c.Send(2)) }, "received 2"},
		{"receiver, a sender waits", 0, recv, nil, func(c *leaf.Chan[int]) {
			spawn(t, func(*ctx.Task) { noError(t, c.Send(3)) })
		}, "received 3"},
		{"receiver, a value was given back", 0, recv, nil, func(c *leaf.Chan[int]) {
			other := spawn(t, func(*ctx.Task) { _, _ = c.Recv() }, ctx.WithHome(new(depot)))
			require.NoError(t, c.Send(4))
			cancelled(t, other)
		}, "received 4"},
		{"sender, closed", 1, send, take, closes, "stackhop: closed"},
		{"sender, room", 2, send, take, take, "sent"},
		{"sender, a receiver waits", 0, send, take, func(c *leaf.Chan[int]) {
			spawn(t, func(*ctx.Task) { _, err := c.Recv(); noError(t, err) })
		}, "sent"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := leaf.NewChan[int](tc.capacity)
			if tc.serve == nil {
				tc.serve = func(c *leaf.Chan[int]) { require.NoError(t, c.Send(1)) }
			} else {
				for range tc.capacity {
					require.NoError(t, c.Send(1))
				}
			}
			var gate leaf.Event
			got := ""
			task := spawn(t, func(*ctx.Task) {
				for range 3 {
					tc.call(c)
				}
				noError(t, gate.Wait())
				got = tc.call(c)
			})
			for range 3 {
				require.Equal(t, 1, leaf.ChanWaiters(c))
				tc.serve(c)
			}
			tc.change(c)
			gate.Set()
			require.Equal(t, tc.want, got)
			require.True(t, task.Done())
		})
	}
}
