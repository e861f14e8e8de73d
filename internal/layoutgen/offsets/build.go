package offsets

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Probe is the package that Build builds.
const Probe = "github.com/stackhop/stackhop/internal/layoutgen/probe"

// ErrBuild is matched by the error of a Build that the go command failed.
var ErrBuild = fmt.Errorf("offsets: cannot build %s", Probe)

// Build builds Probe for linux/arch, with its DWARF, into the folder dir and
// returns the file's path. It calls the go command found at gotool, from the
// current folder, which must be in this module; toolchain is a GOTOOLCHAIN
// value, "local" for the command's own.
func Build(gotool, toolchain, arch, dir string) (string, error) {
	out := filepath.Join(dir, "probe-"+toolchain+"-"+arch)
	// The flags overrule any in GOFLAGS that would lose the DWARF.
	cmd := exec.Command(gotool, "build", "-buildvcs=false", "-race=false", "-ldflags=-w=0", "-o", out, Probe)
	cmd.Env = append(os.Environ(), "GOTOOLCHAIN="+toolchain, "GOOS=linux", "GOARCH="+arch, "CGO_ENABLED=0")
	if msg, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w with %s for %s: %w\n%s", ErrBuild, toolchain, arch, err, msg)
	}
	return out, nil
}
