package ctx_test

import (
	"os/exec"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// The figures of Yield, Resume and Spawn hang on their being inlined into the
// user's loop, down to the one call of the switch.
func TestSwitchingCallsAreInlined(t *testing.T) {
	if raceEnabled || testing.Short() {
		t.Skip("race and short runs: no compilation")
	}
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go command here")
	}
	for dir, functions := range map[string][]string{
		".":         {`\(\*Task\)\.Yield`, `\(\*Task\)\.Resume`, `\(\*Task\)\.SuspendTo`, `\(\*Task\)\.Park`, `\(\*Task\)\.SetHome`, "setHomeBy", "Spawn", "spawnBy", "start", "startBy"},
		"../resume": {`\(\*Slot\)\.Yield`, "leave", "mayPark", "awake", "ready", "parked", "next", `\(\*Slot\)\.Resume`, "enter", `\(\*Slot\)\.Run`, "first", "run", "runBy", `\(\*Slot\)\.Suspend`, `\(\*Slot\)\.Park`, "park", `Handle\.Resume`, "enterBy"},
		"..":        {`\(\*Coro\)\.TrySwitch`, `\(\*Coro\)\.Switch`},
	} {
		out, err := exec.Command(goTool, "build", "-gcflags=-m=1", dir).CombinedOutput()
		require.NoError(t, err, "%s", out)
		for _, f := range functions {
			require.Regexp(t, regexp.MustCompile(`: can inline `+f+`\n`), string(out))
		}
	}
}
