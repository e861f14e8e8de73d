package leaf_test

import (
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/internal/testsupport"
)

func TestMain(m *testing.M) { testsupport.Main(m, leftOver) }

// leftOver lists the tasks that tests have suspended and forgotten.
func leftOver() (lines []string) {
	leaks, err := ctx.Leaks()
	if err != nil {
		if !errors.Is(err, errors.ErrUnsupported) {
			lines = append(lines, err.Error())
		}
		return lines
	}
	for _, l := range leaks {
		lines = append(lines, fmt.Sprintf("%+v", l))
	}
	return lines
}

var errWhy = errors.New("why")

func portable() bool { return stackhop.Backend().Name == "portable" }

// scale divides counts of rounds for builds and machines that are slow.
func scale(n int) int {
	if testing.Short() || portable() {
		n /= 16
	}
	return max(testsupport.Scale(n), 1)
}

func spawn(t testing.TB, body func(*ctx.Task), opts ...ctx.Option) *ctx.Task {
	t.Helper()
	task, err := ctx.Spawn(body, opts...)
	require.NoError(t, err)
	return task
}

// noError is require.NoError for other goroutines and tasks than the test's.
func noError(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// cancelled cancels a task that is suspended.
func cancelled(t testing.TB, task *ctx.Task) {
	t.Helper()
	require.NoError(t, task.Cancel(errWhy))
	require.True(t, task.Done())
	require.ErrorIs(t, task.Err(), errWhy)
}

// eventually waits for what other goroutines are about to do.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("not within 30 s: %s", what)
		}
	}
}

// elsewhere runs f on another goroutine, and returns when it has ended.
func elsewhere(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
}
