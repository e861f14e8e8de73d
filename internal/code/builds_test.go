package code_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// A build is a way to build a program whose code the tests compare.
type build struct {
	name  string
	env   []string
	args  []string
	pkg   string
	short bool // built without -long too
}

var builds = []build{
	{name: "arm64", env: []string{"GOARCH=arm64", "CGO_ENABLED=0"}, pkg: "cmd/gofmt", short: true},
}

// build builds the program and returns the name of its file.
func (b build) build(t *testing.T) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "program")
	cmd := exec.Command("go", append(append([]string{"build", "-o", out}, b.args...), b.pkg)...)
	cmd.Env = append(os.Environ(), b.env...)
	text, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", text)
	return out
}
