package docs

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stackhop/stackhop/internal/testsupport"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(b)
}

// sources returns the concatenated files below the module's root whose names
// end in suffix.
func sources(t *testing.T, suffix string) string {
	t.Helper()
	var all strings.Builder
	require.NoError(t, filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != "..":
			return fs.SkipDir
		case strings.HasSuffix(path, suffix):
			all.WriteString(read(t, path))
		}
		return nil
	}))
	return all.String()
}

func TestEveryTestThatDocsNameExists(t *testing.T) {
	tests := sources(t, "_test.go")
	named := regexp.MustCompile("`(Test[A-Za-z0-9_]+)([*`/])")
	pages, err := filepath.Glob("*.md")
	require.NoError(t, err)
	for _, page := range pages {
		for _, m := range named.FindAllStringSubmatch(read(t, page), -1) {
			declared := "func " + m[1] + "("
			if m[2] == "*" {
				declared = "func " + m[1] // and more letters
			}
			assert.True(t, strings.Contains(tests, declared), "%s names %s, which is nowhere", page, m[1])
		}
	}
}

// The code of the recipes is part of tests of package sched, line by line. In the
// tests package leaf has another name.
func TestRecipesAreTestedCode(t *testing.T) {
	flat := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	tests := flat(strings.ReplaceAll(sources(t, "_linux_test.go"), "leaves.", "leaf."))
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(read(t, "recipes.md"), -1)
	require.NotEmpty(t, blocks)
	for _, b := range blocks {
		require.True(t, strings.Contains(tests, flat(b[1])), "no test has\n%s", b[1])
	}
}

var (
	factRow  = regexp.MustCompile(`(?m)^\| F\d+ \|[^|]*\|([^|]*)\|`)
	factFile = regexp.MustCompile("([a-z0-9_]+\\.go): ((?:(?:types? |constant )?`[^`]+`(?: \\([^)]*\\))?(?:, )?)+)")
	quoted   = regexp.MustCompile("`([A-Za-z_0-9]+)`")
)

func TestEveryRuntimeFunctionThatTheContractNamesExists(t *testing.T) {
	if reason := testsupport.NoGo(); reason != "" {
		t.Skip(reason)
	}
	out, err := exec.Command("go", "env", "GOROOT").Output()
	require.NoError(t, err)
	runtimeDir := filepath.Join(strings.TrimSpace(string(out)), "src", "runtime")
	rows := factRow.FindAllStringSubmatch(read(t, "runtime-contract.md"), -1)
	require.NotEmpty(t, rows)
	named := 0
	for _, row := range rows {
		for _, cite := range factFile.FindAllStringSubmatch(row[1], -1) {
			source := read(t, filepath.Join(runtimeDir, cite[1]))
			for _, name := range quoted.FindAllStringSubmatch(cite[2], -1) {
				named++
				declared := regexp.MustCompile(`(?m)^\s*(func (\([^)]*\) )?|type )?` + name[1] + `\b`)
				require.Regexp(t, declared, source, "%s does not declare %s", cite[1], name[1])
			}
		}
	}
	require.Greater(t, named, 30)
}
