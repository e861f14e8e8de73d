package pull_test

import (
	"os/exec"
	"regexp"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// requireNotInlinable asks the compiler about every instance of the function
// literals in next and yield that this test binary has.
func requireNotInlinable(t *testing.T) {
	out, err := exec.Command("go", "test", "-c", "-o", "/dev/null", "-gcflags=-m=2", ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	instances := regexp.MustCompile(`(?m)(can|cannot) inline \S*\(\*puller2?\[[^\n]*\]\)\.(next|yield)\.func1[^\n]*`).FindAllString(string(out), -1)
	require.GreaterOrEqual(t, len(instances), 4, runtime.Version())
	for _, line := range instances {
		require.Contains(t, line, "unhandled op GO")
	}
}
