package tests

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/guard"
	"github.com/stackhop/stackhop/internal/testsupport"
	"github.com/stackhop/stackhop/mmapstack"
)

// overflows runs fn on a task of the pool, and wants it to overflow.
func overflows(t *testing.T, pool *mmapstack.Pool, fn func()) {
	t.Helper()
	task, err := ctx.Spawn(func(*ctx.Task) { fn() }, ctx.WithPool(pool))
	require.NoError(t, err)
	require.ErrorIs(t, task.Err(), guard.ErrOverflow)
}

// A signal at the very edge of a stack, and while it grows and overflows: a lower
// end that lies would have the kernel or the runtime write below it.
func TestH40SignalsAtTheEdge(t *testing.T) {
	pool := growPool(t, 0)
	got := make(chan os.Signal, 64)
	signal.Notify(got, syscall.SIGWINCH)
	defer signal.Stop(got)
	var (
		wg   sync.WaitGroup
		stop atomic.Bool
		sent int
	)
	runtime.LockOSThread() // what the others aim at
	target := unix.Gettid()
	runtime.UnlockOSThread()
	wg.Go(func() {
		for ; !stop.Load(); sent += 2 {
			// SIGURG is what the runtime preempts by; a thread may be gone.
			_ = unix.Tgkill(os.Getpid(), target, syscall.SIGURG)
			_ = unix.Kill(os.Getpid(), syscall.SIGWINCH)
			if sent%64 == 0 {
				runtime.Gosched()
			}
		}
	})
	rounds := testsupport.Scale(300)
	for i := range rounds {
		for _, kind := range []string{"plain", "defer"} {
			overflows(t, pool, func() { strictly(i, kind) })
		}
	}
	stop.Store(true)
	wg.Wait()
	t.Logf("%d overflows, %d signals", 2*rounds, sent)
	require.NotZero(t, sent)
}

// A call of the runtime that does not fit goes on in the reserve, and the panic
// comes at a later call.
func TestH41TheRuntimesCallsGoOnInTheReserve(t *testing.T) {
	pool := growPool(t, 0)
	before := stackhop.Growth()
	const rounds = 200
	for i := range rounds {
		overflows(t, pool, func() { strictly(i, "alloc") })
	}
	after := stackhop.Growth()
	require.EqualValues(t, rounds, after.Overflowed-before.Overflowed)
	require.NotZero(t, after.Stepped-before.Stepped, "no call of the runtime was among those that did not fit")
}

// copystack moves pointers from sudogs into the stack before it comes to the copy
// that is the trap's: they point to the stack again afterwards, and what is sent
// there arrives.
func TestH42SudogsPointToTheStackThatStays(t *testing.T) {
	pool := growPool(t, 0)
	gc := debug.SetGCPercent(10)
	defer debug.SetGCPercent(gc)
	for i := range testsupport.Scale(60) {
		task, err := ctx.Spawn(func(*ctx.Task) { receiveBelow(0, 40+i) }, ctx.WithPool(pool))
		require.NoError(t, err)
		require.NoError(t, task.Err())
	}
	for i := range testsupport.Scale(20) { // to the end of the stack
		overflows(t, pool, func() { receiveBelow(-i, 1<<30) })
	}
}

// receiveBelow receives into its frame at each of many levels, and lets the runtime
// preempt it: to grow, and to be preempted, are the same call.
//
//go:noinline
func receiveBelow(n, depth int) {
	var v, w [8]int
	a, b := make(chan [8]int, 1), make(chan [8]int, 1) // whoever sends ends, also after an overflow
	go func() { a <- [8]int{n, 7: n} }()
	go func() { b <- [8]int{n, 7: n} }()
	for range 2 {
		select {
		case v = <-a:
			a = nil
		case w = <-b:
			b = nil
		}
	}
	if n < depth {
		receiveBelow(n+1, depth)
	}
	if want := [8]int{n, 7: n}; v != want || w != want {
		panic(errors.New(fmt.Sprint("received ", v, w)))
	}
}
