//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/internal/stdsuites/counts"
	"github.com/stackhop/stackhop/internal/testsupport"
)

func TestParseFindsOutcomesAndWhatWasRunning(t *testing.T) {
	ended, begun, panicked := parse("\x16=== RUN   TestA\nnoise --- FAIL: TestA (0.00s)\n" +
		"\x16=== RUN   TestA/sub_one\n" +
		"text without a newline\x16    --- PASS: TestA/sub_one (0.01s)\n" +
		"\x16--- PASS: TestA (0.01s)\n" +
		"\x16=== RUN   TestB\n\x16=== PAUSE TestB\n\x16=== CONT  TestB\n" +
		"\x16=== RUN   TestC\n\x16--- SKIP: TestC (0.00s)\n" +
		"\x16=== RUN   TestE/7:0x1ca696b03100\n\x16    --- PASS: TestE/7:0x1ca696b03100 (0.00s)\n" +
		"\x16=== RUN   TestE/7:0x1ca696b03200\n\x16    --- FAIL: TestE/7:0x1ca696b03200 (0.00s)\n" +
		"\x16=== RUN   ExampleD\n\x16--- FAIL: ExampleD (0.00s)\n" +
		"fatal error: all goroutines are asleep\n")
	require.Equal(t, outcomes{"TestA": pass, "TestA/sub_one": pass, "TestC": skip, "ExampleD": fail, "TestE/7:0x…": pass, "TestE/7:0x…#2": fail}, ended)
	require.Equal(t, []string{"TestB"}, begun)
	require.Empty(t, panicked)
}

func TestParseFindsTheTestWhosePanicEndedTheProcess(t *testing.T) {
	const failed = "\x16=== RUN   TestA\n\x16--- FAIL: TestA (0.00s)\n"
	const sub = "\x16=== RUN   TestB\n\x16=== RUN   TestB/c\n\x16--- FAIL: TestB/c (0.00s)\n\x16--- FAIL: TestB (0.00s)\n"
	for output, want := range map[string]string{
		failed + sub + "panic: boom\n\ngoroutine 7 [running]:\n":                   "TestB/c",
		failed + "panic: boom [recovered]\n":                                       "TestA",
		failed + sub + "FAIL\n":                                                    "",
		failed + "\x16=== RUN   TestB\n\x16--- PASS: TestB (0.00s)\npanic: boom\n": "",
	} {
		_, _, panicked := parse(output)
		require.Equal(t, want, panicked, output)
	}
}

func TestOnlyTheFirstCauseOfADifferenceIsListed(t *testing.T) {
	for _, tc := range []struct {
		name       string
		goroutines outcomes
		tasks      outcomes
		want       []difference
	}{
		{"none", outcomes{"A": fail}, outcomes{"A": fail}, nil},
		{
			"a subtest's failure is its parents'",
			outcomes{"A": pass, "A/b": pass, "A/b/c": pass, wholeProcess: pass},
			outcomes{"A": fail, "A/b": fail, "A/b/c": fail, wholeProcess: fail},
			[]difference{{"p", "A/b/c", pass, fail}},
		},
		{
			"a test that fails early has no subtests",
			outcomes{"A": pass, "A/b": pass, "AB": pass},
			outcomes{"A": fail, "AB": skip},
			[]difference{{"p", "A", pass, fail}, {"p", "AB", pass, skip}},
		},
		{
			"a process that ends badly after its tests",
			outcomes{"A": pass, wholeProcess: pass},
			outcomes{"A": pass, wholeProcess: fail},
			[]difference{{"p", wholeProcess, pass, fail}},
		},
		{
			"one that no longer fails",
			outcomes{"A": fail, wholeProcess: fail},
			outcomes{"A": pass, wholeProcess: pass},
			[]difference{{"p", "A", fail, pass}},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			require.Equal(t, tc.want, differences("p", tc.goroutines, tc.tasks))
		})
	}
}

func TestKnownDifferencesAreUsedOrReported(t *testing.T) {
	all, err := parseKnown("# comment\n\nnet/http TestX [native go1.26] because\nregexp  TestY  [sometimes] now and then\nio TestZ [] always\n")
	require.NoError(t, err)
	require.Len(t, all, 3)
	d := difference{"net/http", "TestX", pass, fail}
	require.Nil(t, explain(all, d, "size:65536", "go1.25.3"))
	require.Nil(t, explain(all, difference{"net/http", "TestY", pass, fail}, "native", "go1.26.8"))
	ran := []string{"net/http", "regexp", "io"}
	require.Len(t, unused(all, ran, "native", "go1.27.4"), 2)
	require.Equal(t, []*known{all[2]}, unused(all, ran, "default", "go1.25.3"), "the other lines are about other runs, or may be unused")
	require.Empty(t, unused(all, []string{"fmt"}, "native", "go1.26.8"))
	require.Equal(t, "because", explain(all, d, "default", "go1.26.8").reason)
	require.Equal(t, []*known{all[2]}, unused(all, ran, "native", "go1.26.8"))
	require.Equal(t, 4, all[1].line)
}

func TestKnownTextIsRead(t *testing.T) {
	all, err := parseKnown(knownText)
	require.NoError(t, err)
	for _, k := range all {
		require.Contains(t, fullPackages, k.pkg, "known.txt:%d", k.line)
	}
	for _, bad := range []string{"net/http TestX because", "net/http TestX [native", "net/http TestX []"} {
		_, err := parseKnown(bad)
		require.ErrorIs(t, err, errKnown, bad)
	}
}

func TestSmokePackagesArePartOfTheFullRun(t *testing.T) {
	require.Subset(t, fullPackages, smokePackages)
}

func TestEveryImportPathOfTheCopyIsOfTheStandardLibrary(t *testing.T) {
	in := "package x // github.com/stackhop/stackhop\n\nimport (\n\t\"fmt\"\n\tg \"github.com/stackhop/stackhop/guard\"\n" +
		"\t\"golang.org/x/sys/unix\" // why\n)\n\nconst s = \"github.com/stackhop/stackhop\"\n"
	out, err := renameImports("x.go", []byte(in))
	require.NoError(t, err)
	require.Equal(t, "package x // github.com/stackhop/stackhop\n\nimport (\n\t\"fmt\"\n\tg \"stackhop/guard\"\n"+
		"\t\"stackhop/x/sys/unix\" // why\n)\n\nconst s = \"github.com/stackhop/stackhop\"\n", string(out))
	require.Equal(t, "stackhop", pathInSrc(modulePath))
	require.Equal(t, "stackhop/stdsuites/hook", pathInSrc(hookPath))
	require.Equal(t, "github.com/stackhop/stackhopper", pathInSrc("github.com/stackhop/stackhopper"))
}

func TestThePatchFitsTheRuntimeOfThisRelease(t *testing.T) {
	src := strings.TrimSpace(testsupport.Go(t, "", "env", "GOROOT"))
	data, err := os.ReadFile(filepath.Join(src, "src", "runtime", "proc.go"))
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "proc.go"), data, 0o644))
	require.NoError(t, patch(dir))
	patched, err := os.ReadFile(filepath.Join(dir, "proc.go"))
	require.NoError(t, err)
	require.Len(t, patched, len(data)+len("\tfn = wrapGo(fn)\n"))
	require.FileExists(t, filepath.Join(dir, "gowrap.go"))
	require.ErrorIs(t, patch(dir), errPatch, "a source that is patched already is not as expected")
}

func TestCountersAreSharedThroughTheirFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "counts")
	require.NoError(t, counts.Create(path))
	a, err := counts.Map(path)
	require.NoError(t, err)
	b, err := counts.Map(path)
	require.NoError(t, err)
	a.Ran.Add(2)
	b.Ran.Add(1)
	b.Overflowed.Add(5)
	got, err := counts.Read(path)
	require.NoError(t, err)
	require.Equal(t, counts.Totals{Ran: 3, Overflowed: 5}, got)
}

func TestADifferenceCountsIfItIsRepeatedKnownOrADeath(t *testing.T) {
	all, err := parseKnown("p Known [sometimes] because")
	require.NoError(t, err)
	tab := table{mode: "native", version: "go1.26.8", known: all}
	repeated, once := difference{"p", "Repeated", pass, fail}, difference{"p", "Once", pass, fail}
	late, listed, dead := difference{"p", "Late", pass, skip}, difference{"p", "Known", pass, fail}, difference{"p", "Dead", pass, died}
	got := tab.repeated([]difference{repeated, once, listed, dead}, []difference{repeated, late})
	require.ElementsMatch(t, []difference{repeated, listed, dead}, got)
	require.ElementsMatch(t, []difference{once, late}, tab.once)
}
