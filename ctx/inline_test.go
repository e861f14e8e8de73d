package ctx_test

import (
	"os/exec"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// The figures of Yield, Resume and Spawn hang on their being inlined into the user's
// loop, down to the one call of the switch.
func TestSwitchingCallsAreInlined(t *testing.T) {
	if raceEnabled || testing.Short() {
		t.Skip("race and short runs: no compilation")
	}
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go command here")
	}
	out, err := exec.Command(goTool, "build", "-gcflags=-m=1", ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	for _, f := range []string{`\(\*Task\)\.Yield`, `\(\*Task\)\.Resume`, "Spawn"} {
		require.Regexp(t, regexp.MustCompile(`can inline `+f+`\n`), string(out))
	}
}
