package leaf_test

import (
	"testing"

	"github.com/stackhop/stackhop/internal/testsupport"
)

// The figures of a hand-over hang on its being inlined into the user's code, down
// to the one call of the switch; also in a program that is built with a profile.
func TestHandOversAreInlined(t *testing.T) {
	if testsupport.Race || testing.Short() {
		t.Skip("race and short runs: no compilation")
	}
	if reason := testsupport.NoGo(); reason != "" {
		t.Skip(reason)
	}
	testsupport.RequireInlined(t, ".", "github.com/stackhop/stackhop/leaf",
		`\(\*Mutex\)\.Lock`, `\(\*Mutex\)\.Unlock`, "lockBy", "unlockBy",
		`\(\*Chan\[go\.shape\.int\]\)\.Send`, `\(\*Chan\[go\.shape\.int\]\)\.Recv`,
		`sendBy\[go\.shape\.int\]`, `recvBy\[go\.shape\.int\]`, `\(\*node\)\.sent`, "sentBy",
		`\(\*trade\)\.received`, "receivedBy", `\(\*node\)\.got`, "gotBy",
		`\(\*node\)\.park`, "parkBy", `\(\*node\)\.wait`, "waitBy", `\(\*node\)\.hand`, "handBy", `\(\*node\)\.unguard`,
		`\(\*guard\)\.Lock`, `\(\*guard\)\.Unlock`)
}
