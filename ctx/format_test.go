package ctx_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/cancel"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/guard"
	"github.com/stackhop/stackhop/sched"
)

//go:noinline
func fallsOver() { panic(errWhy) }

// logged returns what slog writes of v, as JSON.
func logged(t *testing.T, v any) map[string]any {
	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, nil)).Info("", "v", v)
	var record struct{ V map[string]any }
	require.NoError(t, json.Unmarshal(out.Bytes(), &record), out.String())
	return record.V
}

func TestAPanicErrorTellsItsStack(t *testing.T) {
	err := spawn(t, func(*ctx.Task) { fallsOver() }, ctx.WithName("oven")).Err()
	require.Equal(t, err.Error(), fmt.Sprint(err))
	require.Equal(t, err.Error(), fmt.Sprintf("%s", err))
	require.Equal(t, fmt.Sprintf("%q", err.Error()), fmt.Sprintf("%q", err))
	require.Equal(t, fmt.Sprintf("%60s", err.Error()), fmt.Sprintf("%60s", err))
	require.Contains(t, fmt.Sprintf("%+v", err), err.Error()+"\n\ngoroutine ")
	require.Contains(t, fmt.Sprintf("%+v", err), "ctx_test.fallsOver")
	require.Contains(t, fmt.Sprintf("%+v", fmt.Errorf("wrapped: %w", err)), err.Error())

	v := logged(t, err)
	require.Equal(t, err.Error(), v["error"])
	require.Equal(t, "oven", v["task"])
	require.Equal(t, errWhy.Error(), v["value"])
	require.Contains(t, v["stack"], "ctx_test.fallsOver")
	require.NotContains(t, v, "cancelled")

	task := spawn(t, func(task *ctx.Task) {
		defer fallsOver()
		task.Yield()
	})
	require.NoError(t, task.Cancel(errors.New("shutdown")))
	require.Equal(t, "shutdown", logged(t, task.Err())["cancelled"])

	require.Contains(t, fmt.Sprintf("%+v", &sched.PanicError{Value: 1, Stack: []byte("the stack")}), "panicked: 1\n\nthe stack")
	require.Equal(t, "the stack", logged(t, &sched.PanicError{Value: 1, Stack: []byte("the stack")})["stack"])
}

func TestATaskTellsItsStack(t *testing.T) {
	task := spawn(t, func(task *ctx.Task) { outer(task.Yield) }, ctx.WithName("printer"))
	require.Equal(t, `task "printer": yielded to its owner`, fmt.Sprint(task))
	require.Contains(t, fmt.Sprintf("%+v", task), task.String()+"\n\ntask ")
	require.Contains(t, fmt.Sprintf("%+v", task), "ctx_test.outer")
	require.Equal(t, map[string]any{"name": "printer", "state": "yielded to its owner"}, logged(t, task))
	require.Regexp(t, "^0x", fmt.Sprintf("%p", task))

	require.NoError(t, task.Cancel(errWhy))
	v := logged(t, task)
	require.Equal(t, "done", v["state"])
	require.Equal(t, map[string]any{"error": "cancelled: " + errWhy.Error(), "cause": errWhy.Error()}, v["error"])

	failed := spawn(t, func(*ctx.Task) { fallsOver() })
	require.Contains(t, fmt.Sprintf("%+v", failed), "ctx_test.fallsOver")
	done := spawn(t, func(*ctx.Task) {})
	require.Equal(t, done.String(), fmt.Sprintf("%+v", done))
}

func TestACancelErrorTellsItsCause(t *testing.T) {
	inner := spawn(t, func(*ctx.Task) { fallsOver() }).Err()
	err := &cancel.Error{Cause: inner}
	require.Equal(t, "cancelled: "+inner.Error(), fmt.Sprint(err))
	require.Contains(t, fmt.Sprintf("%+v", err), "ctx_test.fallsOver")
	require.Contains(t, logged(t, err)["cause"].(map[string]any)["stack"], "ctx_test.fallsOver")
}

func TestAnOverflowErrorTellsItsStack(t *testing.T) {
	err := &guard.OverflowError{Task: "deep", Call: "pkg.recurse", Size: 64 << 10}
	require.Equal(t, err.Error(), fmt.Sprint(err))
	v := logged(t, err)
	require.Equal(t, "deep", v["task"])
	require.Equal(t, "pkg.recurse", v["call"])
	require.EqualValues(t, 64<<10, v["size"])
	require.Contains(t, v, "stack")
}
