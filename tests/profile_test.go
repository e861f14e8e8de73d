package tests

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/internal/testsupport"
)

// A profile inlines the functions that the growth trap and the switch are found by.
// Whatever is hot in the runtime, stacks grow; or, if nothing is left to be found, a
// typed error says so and all else works.
func TestStacksGrowInProgramsBuiltWithAProfile(t *testing.T) {
	needAsm(t)
	if testing.Short() {
		t.Skip("builds the runtime anew; not with -short")
	}
	t.Setenv("CGO_ENABLED", "0") // with cgo a stack's first window is the widest
	src := filepath.Join(strings.TrimSpace(testsupport.Go(t, "", "env", "GOROOT")), "src", "runtime")
	call := func(caller string, callees ...string) (calls []testsupport.HotCall) {
		for _, callee := range callees {
			calls = append(calls, testsupport.HotCall{Caller: caller, Callee: callee})
		}
		return calls
	}
	for name, calls := range map[string][]testsupport.HotCall{
		"copystack into newstack": call("newstack", "copystack", "casgstatus", "gogo"),
		"what they call into copystack, coroswitch_m and others": slices.Concat(
			call("copystack", "stackalloc", "stackfree", "throw", "memmove", "adjustsudogs"),
			call("coroswitch_m", "traceAcquire", "casgstatus", "gdestroy"),
			call("traceAcquire", "traceAcquireEnabled"), call("coroswitch", "mcall"),
			call("newcoro", "systemstack"), call("corostart", "coroexit")),
	} {
		t.Run(name, func(t *testing.T) {
			profile, err := testsupport.HotProfile(src, "runtime", calls...)
			require.NoError(t, err)
			path := filepath.Join(t.TempDir(), "hot.pprof")
			require.NoError(t, os.WriteFile(path, profile, 0o600))
			out := growing(t, "-pgo="+path)
			require.Contains(t, out, "backend asm\ngrowth on\nstacks growing\n")
			require.True(t, strings.HasSuffix(out, "\nok\n"), out)
		})
	}
}

// More inlining takes away the calls that discovery follows, less of it the marks that
// tell the flags apart.
func TestStacksGrowWithMoreInlining(t *testing.T) {
	needAsm(t)
	if testing.Short() {
		t.Skip("builds the runtime anew; not with -short")
	}
	t.Setenv("CGO_ENABLED", "0")
	out := growing(t, "-gcflags=all=-l=4")
	require.Contains(t, out, "backend asm\ngrowth on\nstacks growing\n")
	require.True(t, strings.HasSuffix(out, "\nok\n"), out)
}
