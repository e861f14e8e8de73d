package tests

import (
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/internal/testsupport"
)

// A debugger's backtrace of a task ends as that of a goroutine does, behind the base
// frame. The name of that says whether the stack's overflow is fatal.
func TestDebuggerStopsAtTheBaseFrame(t *testing.T) {
	needAsm(t)
	gdb, err := exec.LookPath("gdb")
	if err != nil {
		t.Skip("no gdb on this machine")
	}
	if runtime.GOARCH != "amd64" || testsupport.Emulated() {
		t.Skip("gdb is asked on amd64 only, and not about emulated processes")
	}
	bin := filepath.Join(t.TempDir(), "debuggee")
	testsupport.Go(t, "", "build", "-o", bin, "./debuggee")
	// A goroutine that is preempted where it stands meets the breakpoint again.
	out, err := exec.Command(gdb, "-q", "-batch", "-nx", "-ex", "set environment GODEBUG asyncpreemptoff=1", "-ex", "break main.stop", "-ex", "run",
		"-ex", "backtrace", "-ex", "continue", "-ex", "backtrace", "-ex", "continue", "-ex", "backtrace", bin).CombinedOutput()
	text := string(out)
	if strings.Contains(text, "ptrace: Operation not permitted") {
		t.Skip("no process may be traced here")
	}
	require.NoError(t, err, text)
	var traces []string // names of functions, one backtrace a string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			continue
		}
		if strings.HasPrefix(line, "#0 ") {
			traces = append(traces, "")
		}
		_, at, inside := strings.Cut(line, " in ")
		if !inside {
			_, at, _ = strings.Cut(line, "  ")
		}
		name, _, _ := strings.Cut(at, " ")
		traces[len(traces)-1] += name + "\n"
	}
	require.Len(t, traces, 3, text)
	const end = "runtime.goexit\n??\n"
	require.True(t, strings.HasSuffix(traces[0], "main.main.func1\n"+end), text)
	require.True(t, strings.HasSuffix(traces[1], ".mainLoop\ngithub.com/stackhop/stackhop.coroutineBase\n"+end), text)
	require.True(t, strings.HasSuffix(traces[2], ".mainLoop\ngithub.com/stackhop/stackhop.coroutineBase_strictStack_overflowIsFatal\n"+end), text)
}
