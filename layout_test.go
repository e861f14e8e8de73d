//go:build linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28

package stackhop

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/internal/layoutgen/offsets"
)

// layout has the layout file's constants under the generator's names.
var layout = map[string]int64{
	"gStackLo": gStackLo, "gStackHi": gStackHi, "gStackguard0": gStackguard0,
	"gPanic": gPanic, "gDefer": gDefer, "gM": gM,
	"gSchedSP": gSchedSP, "gSchedPC": gSchedPC, "gSchedCtxt": gSchedCtxt, "gSchedLR": gSchedLR, "gSchedBP": gSchedBP,
	"gStktopsp": gStktopsp, "gAtomicstatus": gAtomicstatus, "gGoid": gGoid, "gWaitreason": gWaitreason,
	"gLockedm": gLockedm, "gSecret": gSecret, "gGopc": gGopc, "gLabels": gLabels, "gPaniconfault": gPaniconfault,
	"gFipsIndicator": gFipsIndicator, "gFipsOnlyBypass": gFipsOnlyBypass, "gDitWanted": gDitWanted,
	"gStartpc": gStartpc, "gBubble": gBubble, "gSudogs": gSudogs,
	"mG0": mG0, "mCurg": mCurg, "mLockedExt": mLockedExt, "mLockedInt": mLockedInt,
	"mP": mP, "mMallocing": mMallocing, "mPreemptoffLen": mPreemptoffLen, "mLocks": mLocks, "mNcgo": mNcgo,
	"pMaxStackScanDelta": pMaxStackScanDelta,
	"sudogElem":          sudogElem, "sudogElemTraced": sudogElemTraced, "sudogElemValue": sudogElemValue,
	"sudogWaitlink": sudogWaitlink,
	"coroGp":        coroGp, "coroF": coroF, "coroMp": coroMp,
	"coroLockedExt": coroLockedExt, "coroLockedInt": coroLockedInt,
	"gRunning": gRunning, "gWaiting": gWaiting, "gCopystack": gCopystack, "gScan": gScan,
	"waitReasonCoroutine": waitReasonCoroutine, "runtimeStackGuard": runtimeStackGuard,
}

// go test links without DWARF unless it is told otherwise (-c, -ldflags=-w=0).
// Then a program of the same toolchain, architecture and experiments stands in:
// there is one runtime for both.
func TestLayoutMatchesDWARF(t *testing.T) {
	table, err := offsets.Read("/proc/self/exe", offsets.Fields)
	if errors.Is(err, offsets.ErrNoDWARF) {
		var bin string
		bin, err = offsets.Build(goTool(t), "local", runtime.GOARCH, t.TempDir())
		require.NoError(t, err)
		table, err = offsets.Read(bin, offsets.Fields)
	}
	require.NoError(t, err)
	require.Equal(t, table.Value, layout)
	require.Equal(t, hasSecret == 0, table.Absent["gSecret"])
}

// goTool returns the go command of the toolchain that made this test.
func goTool(t *testing.T) string {
	t.Helper()
	for _, path := range []string{filepath.Join(os.Getenv("GOROOT"), "bin", "go"), "go"} {
		path, err := exec.LookPath(path)
		if err != nil {
			continue
		}
		out, err := exec.Command(path, "env", "GOVERSION").Output()
		require.NoError(t, err)
		// An experiment's mark, go1.26.8-X:name, is in one and not in the other.
		want, _, _ := strings.Cut(strings.ReplaceAll(runtime.Version(), " ", "-"), "-X:")
		if have, _, _ := strings.Cut(strings.TrimSpace(string(out)), " "); have == want {
			return path
		}
	}
	t.Fatalf("no go command of %s in GOROOT or PATH: build the test with DWARF, -ldflags=-w=0", runtime.Version())
	return ""
}

func TestLayoutForAcceptsOnlyItsRelease(t *testing.T) {
	const minor = "go1." + string('0'+layoutMinor/10) + string('0'+layoutMinor%10)
	for version, ok := range map[string]bool{
		minor:                            true,
		minor + ".0":                     true,
		minor + ".12":                    true,
		minor + ".3-X:nogreenteagc":      true,
		minor + ".3 X:nogreenteagc":      true,
		minor + ".3 (Red Hat 1.3-1.el9)": true,
		minor + "rc1":                    false,
		minor + "beta1":                  false,
		minor + "-devel_0123456789 Thu":  false,
		minor + "1.3":                    false,
		"devel " + minor + "-0123456789": false,
		"go1.24.1":                       false,
		"go1.99":                         false,
		"":                               false,
	} {
		if err := layoutFor(version); ok {
			require.NoError(t, err, version)
		} else {
			require.ErrorContains(t, err, version)
			require.ErrorContains(t, err, minor)
		}
	}
}
