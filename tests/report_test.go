package tests

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/guard"
)

// Tasks of one line serve on each other's stacks; each is told from the others by
// its own depth.
func TestReportTellsSpawnsApart(t *testing.T) {
	needAsm(t)
	guard.Watch(true)
	defer guard.Watch(false)
	for range 200 {
		_, err := ctx.Spawn(func(*ctx.Task) { deepen(300) }, ctx.WithStrictStack(64<<10))
		require.NoError(t, err)
		_, err = ctx.Spawn(func(*ctx.Task) {}, ctx.WithStrictStack(64<<10))
		require.NoError(t, err)
	}
	var deep, shallow guard.Advice
	for _, a := range guard.Advise() {
		if !strings.Contains(a.Where, "tests.TestReportTellsSpawnsApart ") {
			continue
		}
		require.EqualValues(t, 200, a.Count)
		if deep.Count == 0 {
			deep = a
		} else {
			shallow = a
		}
	}
	require.Greater(t, deep.Median, 300*64)
	require.NotZero(t, shallow.Count)
	require.Less(t, shallow.Most, 4096)
	var b strings.Builder
	require.NoError(t, guard.Report(&b))
	t.Log("\n" + b.String())
	require.Contains(t, b.String(), fmt.Sprint(deep.Most))
}

//go:noinline
func deepen(n int) int {
	var a [8]int
	a[n%8] = n
	if n == 0 {
		return 0
	}
	return deepen(n-1) + a[n%8]
}
