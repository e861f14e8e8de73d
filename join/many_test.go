package join_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/internal/testsupport"
	"github.com/stackhop/stackhop/join"
)

// As many Recv arms as reflect.Select can serve, and not one more: nothing has been
// started or received then, and no goroutine panics.
func TestSelectTakesAsManyRecvArmsAsItSays(t *testing.T) {
	never := make(chan int)
	arms := make([]join.Arm, join.MaxRecv, join.MaxRecv+2)
	for i := range arms {
		arms[i] = join.Recv(never, nil)
	}
	if !testing.Short() && !testsupport.Emulated() {
		n, err := join.Select(append(arms[:join.MaxRecv:join.MaxRecv], join.After(time.Millisecond))...)
		require.NoError(t, err)
		require.Equal(t, join.MaxRecv, n, "the timer")

		last := make(chan int, 1)
		arms[join.MaxRecv-1] = join.Recv(last, nil)
		time.AfterFunc(time.Millisecond, func() { last <- 1 })
		n, err = join.Select(arms...)
		require.NoError(t, err)
		require.Equal(t, join.MaxRecv-1, n)
	}

	ready := make(chan int, 1)
	ready <- 1
	began := false
	body := join.Body(func(*ctx.Task) error { began = true; return nil })
	n, err := join.Select(append([]join.Arm{body, join.Recv(ready, nil)}, arms...)...)
	require.Equal(t, -1, n)
	require.ErrorIs(t, err, join.ErrArms)
	var many *join.ArmsError
	require.ErrorAs(t, err, &many)
	require.Equal(t, join.ArmsError{Arms: join.MaxRecv + 1, Limit: join.MaxRecv, Recv: true}, *many)
	require.Contains(t, err.Error(), "65536 Recv arms: a Select can have 65535")
	require.False(t, began)
	require.Len(t, ready, 1, "not received")
}

func TestEachRefusesMoreArmsThanItCanCount(t *testing.T) {
	for _, n := range []int{join.MaxArms + 1, math.MaxInt32, math.MaxInt} {
		err := join.Each(n, func(*ctx.Task, int) error { t.Error("began"); return nil })
		var many *join.ArmsError
		require.ErrorAs(t, err, &many)
		require.Equal(t, join.ArmsError{Arms: n, Limit: join.MaxArms}, *many)
	}
}

// Many arms of other kinds are fine.
func TestManyArms(t *testing.T) {
	n := testsupport.Scale(50_000)
	if testing.Short() {
		n = 5000
	}
	bodies := make([]func(*ctx.Task) error, n)
	arms := make([]join.Arm, n)
	ended := 0
	var g gate
	for i := range bodies {
		bodies[i] = func(task *ctx.Task) error {
			if i == n-1 {
				return nil
			}
			defer func() { ended++ }()
			return g.wait(task)
		}
		arms[i] = join.Body(bodies[i])
	}
	for name, call := range map[string]func() (int, error){
		"Any":    func() (int, error) { return join.Any(bodies...) },
		"Race":   func() (int, error) { return join.Race(bodies...) },
		"Select": func() (int, error) { return join.Select(arms...) },
	} {
		ended, g.queue = 0, nil
		won, err := call()
		require.NoError(t, err, name)
		require.Equal(t, n-1, won, name)
		require.Equal(t, n-1, ended, name)
	}
}
