package main

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDemoShowsItsScenesInOrder(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, demo([]string{"-round=100us", "-rounds=1"}, &out, io.Discard))
	requireFits(t, out.String())
	rest := strings.Join(strings.Fields(out.String()), " ")
	for _, line := range []string{
		"backend ",
		"owner: before Spawn",
		"task: first part, runs inside Spawn",
		"owner: Spawn has returned, done=false",
		"task: second part, runs inside Resume",
		"owner: Resume has returned, done=true",
		"owner: the comparator asks ",
		"suspensions: brown dog fox jumps lazy over quick the the",
		"A: has the lock",
		"B: wants the lock",
		"A: unlocks",
		"B: has the lock, and runs inside A's Unlock",
		"A: back from Unlock",
		"owner: A done=true, B done=true",
		"owner: the task waits for a lock or an hour; cancel it",
		"its arm stops its timer",
		"its arm leaves the lock's queue",
		"the inner one recovers <nil>, and sees: cancelled: we close",
		"the outer deferred call runs",
		"owner: done=true, Err is a *cancel.Error: cancelled: we close",
		"task: a deferred call runs",
		"owner: done=true, Err is a *ctx.PanicError: ",
		"6. A stack of a given size is mapped",
		"8. What a switch costs",
		"stackhop.Coro: Switch",
		rowIterPull,
		rowChannels,
	} {
		_, after, found := strings.Cut(rest, line)
		require.True(t, found, "%q is missing, or comes too early, in:\n%s", line, out.String())
		rest = after
	}
}
