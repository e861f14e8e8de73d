package leaf_test

import (
	"errors"
	"runtime"
	"slices"
	"testing"
	"weak"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/leaf"
	"github.com/stackhop/stackhop/resume"
)

// lost is a Publisher that forgets the handle.
type lost struct{}

func (lost) Publish(resume.Handle) {}

// A primitive remembers who waited at it often, but nothing leads from there to
// the task.
func TestThoseWhoHaveWaitedCanStillLeak(t *testing.T) {
	var m leaf.Mutex
	c := new(leaf.Chan[*int])
	require.NoError(t, m.Lock())
	task := spawn(t, func(task *ctx.Task) {
		for range 3 {
			noError(t, m.Lock())
			_, err := c.Recv()
			noError(t, err)
		}
		task.SuspendTo(lost{})
	}, ctx.WithName("lost"))
	for range 3 {
		m.Unlock()
		require.NoError(t, c.Send(nil))
	}
	w := weak.Make(task)
	task = nil
	leaks, err := ctx.Leaks()
	cancelled(t, w.Value())
	if errors.Is(err, errors.ErrUnsupported) {
		return // here it cannot be told
	}
	require.NoError(t, err)
	require.True(t, slices.ContainsFunc(leaks, func(i ctx.TaskInfo) bool { return i.Name == "lost" }))
	runtime.KeepAlive(&m)
	runtime.KeepAlive(c)
}

// A Chan does not keep what has gone through it, or what was not sent.
func TestValuesAreNotKept(t *testing.T) {
	type big [1 << 10]int
	var all []weak.Pointer[big]
	value := func() *big {
		v := new(big)
		all = append(all, weak.Make(v))
		return v
	}
	for _, capacity := range []int{0, 2} {
		c := leaf.NewChan[*big](capacity)
		home := new(depot)
		rounds := func(n int, call func()) func(*ctx.Task) {
			return func(*ctx.Task) {
				for range n {
					call()
				}
			}
		}
		send := func() { noError(t, c.Send(value())) }
		receive := func() { _, err := c.Recv(); noError(t, err) }

		spawn(t, rounds(5, receive)) // which waits
		spawn(t, rounds(5, send))
		spawn(t, rounds(5, send)) // which waits, once the buffer is full
		spawn(t, rounds(5, receive))
		rounds(capacity, send)(nil) // a plain goroutine
		rounds(capacity, receive)(nil)

		rounds(capacity, send)(nil)
		sender := spawn(t, rounds(1, send))
		cancelled(t, sender) // in the line
		unwinding := spawn(t, func(*ctx.Task) {
			defer func() { require.ErrorIs(t, c.Send(value()), leaf.ErrUnwinding) }()
			send()
		})
		cancelled(t, unwinding)
		rounds(capacity, receive)(nil)
		homed := spawn(t, rounds(1, receive), ctx.WithHome(home))
		send()
		cancelled(t, homed) // when it had got a value, which goes on
		receive()

		rounds(capacity, send)(nil)
		waits := spawn(t, func(*ctx.Task) { require.ErrorIs(t, c.Send(value()), leaf.ErrClosed) })
		require.NoError(t, c.Close())
		require.True(t, waits.Done())
		require.ErrorIs(t, c.Send(value()), leaf.ErrClosed)
		rounds(capacity, receive)(nil)

		runtime.GC()
		kept := 0
		for _, w := range all {
			if w.Value() != nil {
				kept++
			}
		}
		require.Zero(t, kept, "of %d", len(all))
		runtime.KeepAlive(c)
	}
}

// A Recv that fails answers no value, least of all an earlier one.
func TestAFailedRecvAnswersZero(t *testing.T) {
	c := new(leaf.Chan[int])
	v, err := -1, error(nil)
	receiver := func(task *ctx.Task) {
		defer func() {
			if task.Err() != nil {
				v, err = c.Recv()
			}
		}()
		for err == nil {
			v, err = c.Recv()
		}
	}
	for range 2 {
		task := spawn(t, receiver)
		for i := range 3 {
			require.NoError(t, c.Send(i+1))
			require.Equal(t, i+1, v)
		}
		cancelled(t, task)
		require.ErrorIs(t, err, leaf.ErrUnwinding)
		require.Zero(t, v)
		err = nil
	}
	task := spawn(t, receiver)
	require.NoError(t, c.Send(7))
	require.Equal(t, 7, v)
	require.NoError(t, c.Close())
	require.True(t, task.Done())
	require.ErrorIs(t, err, leaf.ErrClosed)
	require.Zero(t, v)
}
