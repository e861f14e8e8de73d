package join_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/join"
)

func TestSelectTellsWhoWon(t *testing.T) {
	everywhere(t, func(t *testing.T, s join.Size) {
		ready := make(chan string, 1)
		ready <- "value"
		closed := make(chan int)
		close(closed)
		var never, g gate
		var v string
		task := spawn(t, func(task *ctx.Task) { _ = g.wait(task) })
		failed := spawn(t, func(*ctx.Task) { panic(errTwo) })
		for name, tc := range map[string]struct {
			arm  join.Arm
			want error
		}{
			"body":             {join.Body(fails(nil)), nil},
			"body that fails":  {join.Body(fails(errOne)), errOne},
			"body, sized":      {join.Body(fails(errOne)).Size(16 << 10), errOne},
			"body, bad size":   {join.Body(fails(nil)).Size(1), ctx.ErrOption},
			"nil body":         {join.Body(nil), ctx.ErrNilBody},
			"time":             {join.After(time.Microsecond), nil},
			"time past":        {join.After(-1), nil},
			"task":             {join.Task(failed), errTwo},
			"nil task":         {join.Task(nil), join.ErrNoArm},
			"zero":             {join.Arm{}, join.ErrNoArm},
			"channel":          {join.Recv(ready, &v), nil},
			"closed":           {join.Recv(closed, nil), join.ErrClosed},
			"closed, variable": {join.Recv(closed, new(int)), join.ErrClosed},
		} {
			won, err := s.Select(join.Body(never.wait), join.After(time.Hour), join.Task(task),
				join.Recv(make(chan error), nil), join.Recv[int](nil, nil), tc.arm)
			require.Equal(t, 5, won, name)
			require.ErrorIs(t, err, tc.want, name)
		}
		require.Equal(t, "value", v)
		require.False(t, never.open())
		require.False(t, task.Done(), "the task goes on")
		require.True(t, g.open())
		ended(t, task)
	})
}

// Each kind of arm wins later, from another goroutine.
func TestSelectWaits(t *testing.T) {
	everywhere(t, func(t *testing.T, s join.Size) {
		for kind := range 5 {
			var never, g gate
			var v int
			ch, other := make(chan int), make(chan error)
			task := spawn(t, func(task *ctx.Task) { require.NoError(t, g.wait(task)); panic(errOne) })
			arms := []join.Arm{join.Body(never.wait), join.Task(task), join.Recv(ch, &v), join.Recv(other, nil), join.Recv(ch, nil)}
			switch kind {
			case 0:
				arms[0] = join.Body(g.wait)
				arms[1] = join.Recv(other, nil)
				g.open() // the task
				g.openSoon(t)
			case 1:
				g.openSoon(t)
			case 2:
				arms[4] = join.Recv(other, nil)
				go func() { ch <- 7 }()
			case 3:
				go close(other)
			case 4:
				arms[4] = join.After(time.Millisecond)
			}
			won, err := s.Select(arms...)
			switch kind {
			case 1:
				require.ErrorIs(t, err, errOne)
			case 3:
				require.ErrorIs(t, err, join.ErrClosed)
			default:
				require.NoError(t, err)
			}
			require.Equal(t, kind, won)
			if kind == 2 {
				require.Equal(t, 7, v)
			}
			for g.open() {
			}
			_ = task.Wait()
		}
	})
}

func TestRecvSingleChannel(t *testing.T) {
	everywhere(t, func(t *testing.T, s join.Size) {
		ch := make(chan string)
		var v string
		go func() { ch <- "a" }()
		won, err := s.Select(join.Recv(ch, &v), join.After(time.Hour))
		require.NoError(t, err)
		require.Zero(t, won)
		require.Equal(t, "a", v)
		c, stop := context.WithCancel(context.Background())
		go stop()
		won, err = s.Select(join.After(time.Hour), join.Recv(c.Done(), nil))
		require.ErrorIs(t, err, join.ErrClosed)
		require.Equal(t, 1, won)
	})
}

// Whatever arrives while other arms win is received by one arm, told, or is
// still in the channel.
func TestRecvLosesNothing(t *testing.T) {
	n := 2000
	if testing.Short() {
		n = 100
	}
	ch, two := make(chan int), make(chan int)
	go func() {
		for i := range n {
			if i%2 == 0 {
				ch <- i
			} else {
				two <- i
			}
		}
	}()
	for i := 0; i < n; {
		var g gate
		opened := make(chan struct{})
		v := -1
		p := spawn(t, func(*ctx.Task) {
			go func() {
				defer close(opened)
				g.open()
			}()
			won, err := join.Select(join.Body(g.wait), join.Recv(ch, &v), join.Recv(two, &v), join.After(time.Duration(i%50)*time.Microsecond))
			require.NoError(t, err)
			if won == 1 || won == 2 {
				require.Equal(t, i, v)
				require.Equal(t, i%2, won-1)
				i++
			} else {
				require.Equal(t, -1, v)
			}
		})
		require.NoError(t, p.Wait())
		<-opened
	}
}

func TestSelectWithoutArms(t *testing.T) {
	won, err := join.Select()
	require.Equal(t, -1, won)
	require.ErrorIs(t, err, join.ErrNoArms)
}
