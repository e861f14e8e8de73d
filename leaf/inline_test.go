package leaf_test

import (
	"os/exec"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/internal/testsupport"
)

// The figures of a hand-over hang on its being inlined into the user's code, down
// to the one call of the switch.
func TestHandOversAreInlined(t *testing.T) {
	if testsupport.Race || testing.Short() {
		t.Skip("race and short runs: no compilation")
	}
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("no go command here")
	}
	out, err := exec.Command(goTool, "build", "-gcflags=-m=1", ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	for _, f := range []string{
		`\(\*Mutex\)\.Lock`, `\(\*Mutex\)\.Unlock`, "lockBy", "unlockBy",
		`\(\*Chan\[go\.shape\.int\]\)\.Send`, `\(\*Chan\[go\.shape\.int\]\)\.Recv`,
		`sendBy\[go\.shape\.int\]`, `recvBy\[go\.shape\.int\]`, "sent", "sentBy", "received", "receivedBy", "got", "gotBy",
		"park", "parkBy", "wait", "waitBy", "hand", "handBy", "unguard",
		`\(\*guard\)\.Lock`, `\(\*guard\)\.Unlock`,
	} {
		require.Regexp(t, regexp.MustCompile(`: can inline `+f+`\n`), string(out))
	}
}
