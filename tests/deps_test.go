package tests

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stackhop/stackhop/internal/testsupport"
	"github.com/stretchr/testify/require"
)

const module = "github.com/stackhop/stackhop"

// An import of the library brings nothing heavy along (R10).
func TestDependencyClosure(t *testing.T) {
	own := []string{"/internal/nilpanic", "", "/internal/release", "/internal/nest", "/internal/verbose", "/mmapstack", "/guard", "/cancel", "/resume", "/ctx", "/leaf", "/join", "/pull"}
	logs := []string{"/guard", "/cancel", "/resume", "/ctx", "/leaf", "/join"} // with errors that are slog.LogValuers
	modules := []string{module, "golang.org/x/arch", "golang.org/x/sys"}
	for i, pkg := range own {
		t.Run("stackhop"+pkg, func(t *testing.T) {
			for _, goos := range []string{"linux", "windows"} {
				t.Setenv("GOOS", goos)
				deps := strings.Fields(testsupport.Go(t, "", "list", "-deps", module+pkg))
				require.Contains(t, deps, module+pkg)
				for _, dep := range deps {
					first, _, _ := strings.Cut(dep, "/")
					if !strings.Contains(first, ".") {
						continue // the standard library
					}
					require.True(t, slices.ContainsFunc(modules, func(m string) bool {
						return dep == m || strings.HasPrefix(dep, m+"/")
					}) || strings.HasPrefix(dep, "vendor/"), "imports %s", dep)
					if rest, ok := strings.CutPrefix(dep, module); ok {
						require.Contains(t, own[:i+1], rest, "imports upwards")
					}
				}
				heavy := []string{"net", "net/http", "os/exec", "testing", "text/template", "flag"}
				if !slices.Contains(deps, "log/slog") { // 64 KB of a program, and with it come these
					heavy = append(heavy, "encoding/json", "log")
				}
				require.Equal(t, slices.Contains(logs, pkg), slices.Contains(deps, "log/slog"))
				for _, heavy := range heavy {
					require.NotContains(t, deps, heavy)
				}
			}
		})
	}
}

// The packages that read programs need only the standard library, and nothing
// that a program imports needs them: own, above, does not have them.
func TestReadersOfProgramsStandAlone(t *testing.T) {
	for _, pkg := range []string{"/internal/pcln", "/internal/code"} {
		for _, dep := range strings.Fields(testsupport.Go(t, "", "list", "-deps", module+pkg)) {
			first, _, _ := strings.Cut(dep, "/")
			require.True(t, dep == module+pkg || !strings.Contains(first, ".") || first == "vendor", "%s imports %s", pkg, dep)
		}
	}
}

// The kernel alone, linked: nothing runs at import, and newcoro is there
// though the program does not use iter.Pull (H17).
func TestH17LinkedAlone(t *testing.T) {
	if testing.Short() {
		t.Skip("builds programs; not with -short")
	}
	for _, flags := range [][]string{
		{},
		{"-ldflags=-s -w"},
		{"-trimpath"},
		{"-gcflags=-l"},
		{"-gcflags=" + module + "/...=-N -l"},
		{"-gcflags=" + module + "/...=-d=checkptr"}, // H14
		{"-buildmode=pie"},
	} {
		t.Run(strings.Join(flags, ","), func(t *testing.T) {
			want := "asm 45"
			if !asm() {
				want = "portable 45"
			}
			args := append(append([]string{"run"}, flags...), "./testdata/plain")
			require.Equal(t, want, strings.TrimSpace(testsupport.Go(t, "", args...)))
		})
	}
}

// The test binary has imported everything; so far only tests have started
// anything (R10).
func TestNothingRunsAtImport(t *testing.T) {
	testsupport.RunChild(t, "import", childLimit).RequireOK(t)
}

var _ = testsupport.Child("import", func() {
	// initCoro is the tests' own; its goroutine is one of these.
	for g := range strings.SplitSeq(stacks(), "\n\n") {
		if strings.Contains(g, module) && !strings.Contains(g, "_test.go:") {
			panic("runs though nobody asked:\n" + g)
		}
	}
	fmt.Println("ok")
})
