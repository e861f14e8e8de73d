package tests

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stackhop/stackhop/internal/testsupport"
	"github.com/stackhop/stackhop/mmapstack"
	"github.com/stretchr/testify/require"
)

// Memcheck looks at what system calls are given. It must not be led onto a guard
// page, of which it does not know.
func TestProgramRunsUnderMemcheck(t *testing.T) {
	valgrind, err := exec.LookPath("valgrind")
	switch {
	case testing.Short():
		t.Skip("builds a program; not with -short")
	case testsupport.Emulated():
		t.Skip("valgrind does not run under an emulator")
	case err != nil:
		t.Skipf("no valgrind on this machine (make setup installs it): %v", err)
	}
	needAsm(t)
	exe := filepath.Join(t.TempDir(), "memcheck")
	testsupport.Go(t, "testdata/memcheck", "build", "-tags", "valgrind", "-o", exe, ".")
	// The search for leaks at the end stops any Go program that has collected:
	// memcheck takes memory that is used again for two blocks.
	out, err := exec.Command(valgrind, "--tool=memcheck", "--leak-check=no", "--log-file="+exe+".log", exe).CombinedOutput()
	require.NoError(t, err, testsupport.Tail(string(out)))
	kind, _ := mmapstack.GuardKind()
	require.Contains(t, string(out), "asm "+kind)
	require.True(t, strings.HasSuffix(string(out), " ok\n"), testsupport.Tail(string(out)))
}
