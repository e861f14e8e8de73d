package ctx_test

import (
	"testing"

	"github.com/stackhop/stackhop/internal/testsupport"
)

// The figures of Yield, Resume and Spawn hang on their being inlined into the
// user's loop, down to the one call of the switch; also in a program that is built
// with a profile, which changes what the compiler inlines.
func TestSwitchingCallsAreInlined(t *testing.T) {
	if testsupport.Race || testing.Short() {
		t.Skip("race and short runs: no compilation")
	}
	if reason := testsupport.NoGo(); reason != "" {
		t.Skip(reason)
	}
	const module = "github.com/stackhop/stackhop"
	testsupport.RequireInlined(t, ".", module+"/ctx",
		`\(\*Task\)\.Yield`, `\(\*Task\)\.Resume`, `\(\*Task\)\.SuspendTo`, `\(\*Task\)\.Park`, `\(\*Task\)\.SetHome`,
		"setHomeBy", "Spawn", "spawnBy", `\(\*Task\)\.start`, "startBy")
	testsupport.RequireInlined(t, "../resume", module+"/resume",
		`\(\*Slot\)\.Yield`, "leave", `\(\*Slot\)\.mayPark`, `\(\*Slot\)\.awake`, `\(\*Slot\)\.ready`, `\(\*Slot\)\.parked`, `\(\*Slot\)\.next`, `\(\*Slot\)\.Resume`, "enter",
		`\(\*Slot\)\.Run`, "first", `\(\*Slot\)\.run`, "runBy", `\(\*Slot\)\.Suspend`, `\(\*Slot\)\.Park`, "park", "parkFor", `\(\*Slot\)\.prepared`, `\(\*Slot\)\.returned`, `Handle\.Resume`, "enterBy")
	testsupport.RequireInlined(t, "..", module, `\(\*Coro\)\.TrySwitch`, `\(\*Coro\)\.Switch`)
}
