package testsupport

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

// inlineBudget is the highest cost of a function that the compiler inlines everywhere.
// In a program built with a profile the compiler inlines dearer functions too, but only
// at hot calls.
const inlineBudget = 80

// RequireInlined fails the test unless the compiler inlines functions of the package in
// dir, regular expressions, wherever they are called: as it is, and with a profile in
// which all calls of parameters are hot. pkg is the import path.
func RequireInlined(tb testing.TB, dir, pkg string, functions ...string) {
	tb.Helper()
	profile, err := HotParameters(dir, pkg)
	if err != nil {
		profile = nil // it has no parameters that are called
	}
	path := filepath.Join(tb.TempDir(), "hot.pprof")
	if err := os.WriteFile(path, profile, 0o600); err != nil {
		tb.Fatal(err)
	}
	for _, flags := range []string{"-m=2", "-m=2 -pgoprofile=" + path} {
		if profile == nil && flags != "-m=2" {
			continue
		}
		out, err := combined(dir, "build", "-gcflags="+flags, ".")
		if err != nil {
			tb.Fatal(err)
		}
		if line := regexp.MustCompile(`.*PGO devirtualizing.*`).FindString(out); line != "" {
			tb.Errorf("with %s: %s", flags, line)
		}
		for _, f := range functions {
			m := regexp.MustCompile(`(?m): can inline ` + f + ` with cost (\d+) as: `).FindStringSubmatch(out)
			if m == nil {
				tb.Errorf("with %s: %s is not inlined", flags, f)
				continue
			}
			if cost, err := strconv.Atoi(m[1]); err != nil || cost > inlineBudget {
				tb.Errorf("with %s: %s costs %s, so it is inlined only where it is hot; at most %d are", flags, f, m[1], inlineBudget)
			}
		}
	}
}
