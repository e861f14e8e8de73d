package pull_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/internal/testsupport"
)

// stdPreamble stands beside the standard library's tests: the names they take
// from package iter that package pull does not have, and a word on the backend.
const stdPreamble = `package iterstd_test

import (
	"fmt"
	"iter"
	"os"
	"testing"

	"github.com/stackhop/stackhop"
)

type (
	Seq[V any]     = iter.Seq[V]
	Seq2[K, V any] = iter.Seq2[K, V]
)

func TestMain(m *testing.M) {
	fmt.Println("backend", stackhop.Backend().Name)
	os.Exit(m.Run())
}
`

// The standard library's tests of iter.Pull, of the release that runs this, with
// two lines changed: the package clause, and the import of iter, which becomes
// that of pull.
func TestStandardLibraryTestsPass(t *testing.T) {
	if reason := testsupport.NoGo(); reason != "" {
		t.Skip(reason)
	}
	if testsupport.Emulated() {
		t.Skip("emulated: the go command would build for the host")
	}
	root := strings.TrimSpace(testsupport.Go(t, "", "list", "-m", "-f", "{{.Dir}}"))
	goroot := strings.TrimSpace(testsupport.Go(t, "", "env", "GOROOT"))
	source, err := os.ReadFile(filepath.Join(goroot, "src", "iter", "pull_test.go"))
	if err != nil {
		t.Skipf("no sources of the standard library: %v", err)
	}
	text := string(source)
	for _, change := range [][2]string{
		{"package iter_test\n", "package iterstd_test\n"},
		{"\t. \"iter\"\n", "\t. \"github.com/stackhop/stackhop/pull\"\n"},
	} {
		require.Equal(t, 1, strings.Count(text, change[0]), "%q in iter's tests", change[0])
		text = strings.Replace(text, change[0], change[1], 1)
		t.Logf("changed: %q to %q", change[0], change[1])
	}

	// The tests join this module through an overlay, and leave no file in it.
	dir := t.TempDir()
	overlay := map[string]string{}
	for name, content := range map[string]string{"std_test.go": text, "preamble_test.go": stdPreamble} {
		real := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(real, []byte(content), 0o600))
		overlay[filepath.Join(root, "pull", "iterstd", name)] = real
	}
	data, err := json.Marshal(map[string]any{"Replace": overlay})
	require.NoError(t, err)
	overlayFile := filepath.Join(dir, "overlay.json")
	require.NoError(t, os.WriteFile(overlayFile, data, 0o600))
	binary := filepath.Join(dir, "iterstd.test")
	args := []string{"test", "-c", "-vet=off", "-overlay", overlayFile, "-o", binary}
	if testsupport.Race {
		args = append(args, "-race")
	}
	testsupport.Go(t, root, append(args, "./pull/iterstd")...)

	cmd := exec.Command(binary, "-test.v", "-test.bench", ".", "-test.benchtime", "100x")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	backend := regexp.MustCompile(`(?m)^backend (\w+)$`).FindStringSubmatch(string(out))
	require.Len(t, backend, 2)
	want := regexp.MustCompile(`(?m)^func Test`).FindAllString(text, -1)
	passed := regexp.MustCompile(`(?m)^--- PASS: Test\w+`).FindAllString(string(out), -1)
	require.NotEmpty(t, want)
	require.Len(t, passed, len(want))
	t.Logf("%d tests of package iter pass on the %s backend", len(passed), backend[1])
}
