package mmapstack

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// childEnv names the child program that a re-executed test binary is to run.
const childEnv = "MMAPSTACK_TEST_CHILD"

// traceEnv has stacks that a test leaks printed with their maker.
const traceEnv = "MMAPSTACK_TEST_TRACE"

const is64 = ^uint(0)>>63 == 1

var children = map[string]func(){}

func TestMain(m *testing.M) {
	if name := os.Getenv(childEnv); name != "" {
		children[name]()
		os.Exit(0)
	}
	if os.Getenv(traceEnv) != "" {
		TraceMakers(true)
	}
	code := m.Run()
	if left := Totals(); code == 0 && (left.Slabs != 0 || left.Bytes != 0 || left.GuardMaps != 0) {
		fmt.Printf("leaked: %+v (run with %s=1 for the makers)\n", left, traceEnv)
		for _, l := range Live() {
			fmt.Printf("%s\n%s\n", l.Stack, l.Trace)
		}
		code = 1
	}
	os.Exit(code)
}

// child runs the named program in a process of its own and returns its output.
func child(t *testing.T, name string, env ...string) (out string, exit int) {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(exe)
	run := func() ([]byte, error) {
		cmd.Env = append(append(os.Environ(), childEnv+"="+name), env...)
		return cmd.CombinedOutput()
	}
	text, err := run()
	if emulator := emulators[runtime.GOARCH]; errors.Is(err, syscall.ENOEXEC) && emulator != "" {
		cmd = exec.Command(emulator, exe)
		text, err = run()
	}
	if cmd.ProcessState == nil {
		require.NoError(t, err)
	}
	return string(text), cmd.ProcessState.ExitCode()
}

// emulators run a child when this process is itself emulated, which it cannot see.
var emulators = map[string]string{"arm64": "qemu-aarch64-static", "riscv64": "qemu-riscv64-static"}

// eachGuard runs f with every kind of guard that works here.
func eachGuard(t *testing.T, f func(t *testing.T, g guardKind)) {
	for _, g := range []guardKind{guardMadvise, guardMprotect} {
		if g <= probedGuard() {
			t.Run(g.String(), func(t *testing.T) { f(t, g) })
		}
	}
}

func newPool(t testing.TB, size int, g guardKind, opts ...PoolOption) *Pool {
	t.Helper()
	p, err := NewPool(size, opts...)
	require.NoError(t, err)
	p.guard = g
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			require.ErrorIs(t, err, ErrClosed)
		}
	})
	return p
}

// requireNoAllocs fails if f allocates. Tracing allocates.
func requireNoAllocs(t *testing.T, f func()) {
	t.Helper()
	n := testing.AllocsPerRun(1000, f)
	if watching.Load() == 0 {
		require.Zero(t, n)
	}
}
