//go:build linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28

package stackhop

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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
	"mP": mP, "mMallocing": mMallocing, "mPreemptoffLen": mPreemptoffLen, "mLocks": mLocks,
	"sudogElem": sudogElem, "sudogElemTraced": sudogElemTraced, "sudogElemValue": sudogElemValue,
	"sudogWaitlink": sudogWaitlink,
	"coroGp":        coroGp, "coroF": coroF, "coroMp": coroMp,
	"coroLockedExt": coroLockedExt, "coroLockedInt": coroLockedInt,
	"funcEntryOff": funcEntryOff, "funcNameOff": funcNameOff, "funcArgs": funcArgs,
	"funcNpcdata": funcNpcdata, "funcFuncID": funcFuncID, "funcNfuncdata": funcNfuncdata,
	"moduleFuncnametab": moduleFuncnametab, "modulePctab": modulePctab, "modulePclntable": modulePclntable, "moduleFtab": moduleFtab,
	"moduleText": moduleText, "moduleEtext": moduleEtext, "moduleEnd": moduleEnd,
	"moduleGofunc": moduleGofunc, "moduleTextsectmap": moduleTextsectmap, "moduleNext": moduleNext,
	"gRunning": gRunning, "gWaiting": gWaiting, "gCopystack": gCopystack, "gScan": gScan,
	"waitReasonCoroutine": waitReasonCoroutine, "runtimeStackGuard": runtimeStackGuard,
}

// go test links without DWARF unless it is told otherwise (-c, -ldflags=-w=0).
// Then a program of the same toolchain, architecture and experiments stands in:
// there is one runtime for both.
func TestLayoutMatchesDWARF(t *testing.T) {
	fields := append(offsets.Fields[:len(offsets.Fields):len(offsets.Fields)], offsets.Discovered...)
	table, err := offsets.Read("/proc/self/exe", fields)
	if errors.Is(err, offsets.ErrNoDWARF) {
		var bin string
		bin, err = offsets.Build(goTool(t), "local", runtime.GOARCH, t.TempDir())
		require.NoError(t, err)
		table, err = offsets.Read(bin, fields)
	}
	require.NoError(t, err)
	found := table.Value["maxStackScanDelta"]
	delete(table.Value, "maxStackScanDelta")
	require.Equal(t, table.Value, layout)
	require.Equal(t, hasSecret == 0, table.Absent["gSecret"])
	if unoptimized() {
		return
	}
	var trap trapFacts
	require.NoError(t, trap.find())
	require.EqualValues(t, found, trap.maxStackScanDelta)
}

// Every offset that the kernel uses is compared with the program's own types.
func TestDiscoveryNamesAFieldThatHasMoved(t *testing.T) {
	f := discovered(t)
	mod, err := moduleOf(f.newcoro)
	require.NoError(t, err)
	types, err := coroTypes(&mod, f.newcoro)
	require.NoError(t, err)
	_, more, err := moduleTypes(f.newcoro)
	require.NoError(t, err)
	maps.Copy(types, more)
	require.NoError(t, checkLayout(layoutFields[:], types))
	for i, field := range layoutFields {
		require.Contains(t, types, field.typ)
		name := "runtime." + field.typ + "." + field.path
		check := func(change func(f *layoutField), want ...string) {
			fields := layoutFields
			change(&fields[i])
			err := checkLayout(fields[:], types)
			var e *discoveryError
			require.ErrorAs(t, err, &e)
			for _, w := range append(want, name) {
				require.ErrorContains(t, err, w)
			}
		}
		if field.absent {
			check(func(f *layoutField) { f.absent = false }, "no such field")
			continue
		}
		check(func(f *layoutField) { f.offset += 8 }, fmt.Sprintf("want %d, got %d", field.offset+8, field.offset))
		check(func(f *layoutField) { f.path += "x" }, fmt.Sprintf("want %d, got no such field", field.offset))
		check(func(f *layoutField) { f.absent = true }, fmt.Sprintf("want no such field, got %d", field.offset))
		if field.size != 0 {
			check(func(f *layoutField) { f.size *= 2 }, fmt.Sprintf("want %d, got %d", 2*field.size, field.size))
		}
	}
}

// The contract has each field, under its type, as one that is written or read only.
func TestContractListsEveryOffset(t *testing.T) {
	text, err := os.ReadFile("docs/runtime-contract.md")
	require.NoError(t, err)
	for _, f := range layoutFields {
		require.Regexp(t, "(?m)^\\| `"+f.typ+"` \\|.*`"+regexp.QuoteMeta(f.path)+"`", string(text))
	}
}

// What is no description of a type is not taken for one: reflect would end the process.
func TestDescriptionOfATypeIsRecognised(t *testing.T) {
	f := discovered(t)
	mod, err := moduleOf(f.newcoro)
	require.NoError(t, err)
	d := descriptors()
	found := 0
	for addr := mod.types; addr < mod.etypes; addr += 8 {
		if mod.describes(&d, addr, "runtime.coro") {
			require.Equal(t, "runtime.coro", typeAt(addr).String())
			found++
		}
	}
	require.Equal(t, 1, found)
	for _, addr := range []uintptr{0, 1, mod.types + 4, mod.types - 8, mod.etypes - 8, mod.etypes, ^uintptr(7)} {
		require.False(t, mod.describes(&d, addr, "runtime.coro"), "%#x", addr)
	}
	_, err = mod.structType(machineCode(f.coroswitch), "runtime.coro")
	require.ErrorContains(t, err, "machine code of runtime.coroswitch: want the address of type runtime.coro")
	require.Zero(t, mod.function(f.newcoro, "runtime.nothing"))
	require.Equal(t, f.coroswitch, mod.function(f.newcoro, "runtime.coroswitch"))
}

// An experiment that is new in a release has to be tried before it is let in.
func TestEveryExperimentOfTheToolchainIsKnown(t *testing.T) {
	root, err := exec.Command(goTool(t), "env", "GOROOT").Output()
	require.NoError(t, err)
	text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), "src", "internal", "goexperiment", "flags.go"))
	require.NoError(t, err)
	names := regexp.MustCompile(`(?m)^\t([A-Z]\w+) +bool$`).FindAllStringSubmatch(string(text), -1)
	require.Greater(t, len(names), 10)
	for _, name := range names {
		x := strings.ToLower(name[1])
		require.True(t, knownExperiment(x), x)
		require.True(t, knownExperiment("no"+x), x)
	}
	require.False(t, knownExperiment("somethingnew"))
	require.False(t, knownExperiment("nosomethingnew"))
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
		minor + ".3 X:arenas,cgocheck2":  true,
		minor + ".3 X:arenas,newthing":   false,
		minor + ".3-X:nonewthing":        false,
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
			if x := experiments(version); x != nil {
				require.ErrorContains(t, err, "GOEXPERIMENT: want known ones only, got "+x[len(x)-1])
				continue
			}
			require.ErrorContains(t, err, version)
			require.ErrorContains(t, err, minor)
		}
	}
}
