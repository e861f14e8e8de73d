package leaf_test

import (
	"io"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/leaf"
)

func TestAwait(t *testing.T) {
	ready := make(chan int, 1)
	ready <- 7
	closed := make(chan int)
	close(closed)
	for name, on := range map[string]func(func()){
		"goroutine": func(f func()) { f() },
		"task":      func(f func()) { require.NoError(t, spawn(t, func(*ctx.Task) { f() }).Wait()) },
	} {
		t.Run(name, func(t *testing.T) {
			slow, over := make(chan string), make(chan string)
			go func() {
				slow <- "x"
				close(over)
			}()
			on(func() {
				if len(ready) == 1 {
					v, ok, err := leaf.Await(ready)
					require.NoError(t, err)
					require.True(t, ok)
					require.Equal(t, 7, v)
				}
				_, ok, err := leaf.Await(closed)
				require.NoError(t, err)
				require.False(t, ok)
				s, ok, err := leaf.Await(slow)
				require.NoError(t, err)
				require.True(t, ok)
				require.Equal(t, "x", s)
				_, ok, err = leaf.Await(over)
				require.NoError(t, err)
				require.False(t, ok)
			})
		})
	}
}

func TestACancelledAwaitTakesNothing(t *testing.T) {
	spawn(t, func(*ctx.Task) {}) // its coroutine, a goroutine too, serves those that follow
	for range scale(500) {
		ch := make(chan int, 1)
		before := runtime.NumGoroutine()
		task := spawn(t, func(*ctx.Task) {
			_, _, _ = leaf.Await(ch)
			t.Error("not reached")
		})
		cancelled(t, task)
		eventually(t, "its goroutine ends", func() bool { return runtime.NumGoroutine() <= before })
		ch <- 1
		require.Len(t, ch, 1)
	}
}

func TestAwaitFunc(t *testing.T) {
	for name, on := range map[string]func(func()){
		"goroutine": elsewhere,
		"task":      func(f func()) { require.NoError(t, spawn(t, func(*ctx.Task) { f() }).Wait()) },
	} {
		t.Run(name, func(t *testing.T) {
			gate := make(chan struct{})
			go close(gate)
			on(func() {
				v, err := leaf.AwaitFunc(func() (int, error) { <-gate; return 7, io.EOF })
				require.Equal(t, 7, v)
				require.Equal(t, io.EOF, err)
			})
		})
	}
}

func TestAwaitFuncOfAFunctionThatDoesNotReturn(t *testing.T) {
	var err error
	task := spawn(t, func(*ctx.Task) {
		_, err = leaf.AwaitFunc(func() (int, error) { runtime.Goexit(); return 0, nil })
	})
	require.NoError(t, task.Wait())
	require.ErrorIs(t, err, ctx.ErrGoexit)

	task = spawn(t, func(*ctx.Task) {
		_, _ = leaf.AwaitFunc(func() (int, error) { panic(io.EOF) })
	})
	var pe *ctx.PanicError
	require.ErrorAs(t, task.Wait(), &pe)
	require.ErrorIs(t, pe, io.EOF)
}

func TestACancelledAwaitFuncGoesOnAlone(t *testing.T) {
	gate, ended := make(chan struct{}), make(chan struct{})
	task := spawn(t, func(*ctx.Task) {
		_, _ = leaf.AwaitFunc(func() (int, error) {
			defer close(ended)
			<-gate
			return 1, nil
		})
		t.Error("not reached")
	})
	cancelled(t, task)
	close(gate)
	<-ended
}
