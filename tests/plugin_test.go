package tests

import (
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/internal/testsupport"
)

// Code of a plugin reaches globals through a table, by way of a register, and has a copy
// of the runtime's code. Tasks run there on mapped stacks and on the runtime's; stacks do
// not grow in place, and the error says why.
func TestTasksRunInAPlugin(t *testing.T) {
	if testing.Short() {
		t.Skip("builds programs; not with -short")
	}
	if runtime.GOOS != "linux" || testsupport.Race || testsupport.Emulated() {
		t.Skip("plugins are built for the machine that builds them, and not with the race detector")
	}
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("a plugin is linked by gcc, which make setup installs: ", err)
	}
	needAsm(t)
	t.Setenv("CGO_ENABLED", "1")
	dir := t.TempDir()
	host, plug := filepath.Join(dir, "host"), filepath.Join(dir, "plug.so")
	testsupport.Go(t, "", "build", "-o", host, "./testdata/plugged/host")
	testsupport.Go(t, "", "build", "-buildmode=plugin", "-o", plug, "./testdata/plugged/plug")
	out, err := exec.Command(host, plug).CombinedOutput()
	require.NoError(t, err, "%s", out)
	for _, want := range []string{"backend asm: ", "\nmapped 25500\n", "\nnative 25500\n", "\ngrowing: guard: stackhop: stacks cannot grow in place", "no plugin", "\nok\n"} {
		require.Contains(t, string(out), want)
	}
}
