package testsupport

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Bodies is the program that Builds build: testdata/bodies.
const Bodies = module + "/internal/testsupport/testdata/bodies"

// A BuildMode is a way to build a program for a reader of programs to read.
type BuildMode struct {
	Name   string
	GOARCH string
	Env    []string
	Cgo    bool
	Args   []string // of go build
	Strip  bool     // strip the file then
	PGO    bool     // with a profile in which main calls only weigh
}

// BuildModes are the ways to build for linux that differ in the file.
var BuildModes = []BuildMode{
	{Name: "plain", GOARCH: "amd64"},
	{Name: "without symbols", GOARCH: "amd64", Args: []string{"-ldflags=-s -w"}},
	{Name: "stripped", GOARCH: "amd64", Strip: true},
	{Name: "trimpath", GOARCH: "amd64", Args: []string{"-trimpath"}},
	{Name: "pie", GOARCH: "amd64", Args: []string{"-buildmode=pie"}},
	{Name: "pie without symbols", GOARCH: "amd64", Args: []string{"-buildmode=pie", "-ldflags=-s -w"}},
	{Name: "not optimized", GOARCH: "amd64", Args: []string{"-gcflags=all=-N -l"}},
	{Name: "v3", GOARCH: "amd64", Env: []string{"GOAMD64=v3"}},
	{Name: "pgo", GOARCH: "amd64", PGO: true},
	{Name: "cover", GOARCH: "amd64", Args: []string{"-cover"}},
	{Name: "race", GOARCH: "amd64", Cgo: true, Args: []string{"-race"}},
	{Name: "cgo", GOARCH: "amd64", Cgo: true},
	{Name: "cgo pie stripped", GOARCH: "amd64", Cgo: true, Args: []string{"-buildmode=pie"}, Strip: true},
	{Name: "cgo external", GOARCH: "amd64", Cgo: true, Args: []string{"-ldflags=-linkmode=external"}},
	{Name: "c-shared", GOARCH: "amd64", Cgo: true, Args: []string{"-buildmode=c-shared"}},
	{Name: "c-shared stripped", GOARCH: "amd64", Cgo: true, Args: []string{"-buildmode=c-shared"}, Strip: true},
	{Name: "plugin", GOARCH: "amd64", Cgo: true, Args: []string{"-buildmode=plugin"}},
	{Name: "plugin stripped", GOARCH: "amd64", Cgo: true, Args: []string{"-buildmode=plugin", "-ldflags=-s -w"}, Strip: true},
	{Name: "arm64", GOARCH: "arm64"},
	{Name: "arm64 without symbols", GOARCH: "arm64", Args: []string{"-ldflags=-s -w"}},
	{Name: "arm64 pie", GOARCH: "arm64", Args: []string{"-buildmode=pie"}},
	{Name: "arm64 trimpath", GOARCH: "arm64", Args: []string{"-trimpath"}},
	{Name: "arm64 not optimized", GOARCH: "arm64", Args: []string{"-gcflags=all=-N -l"}},
}

// Build builds Bodies and returns the name of the file. It skips the test if this
// machine cannot build so.
func (m BuildMode) Build(tb testing.TB) string {
	tb.Helper()
	host := strings.TrimSpace(Go(tb, "", "env", "GOHOSTARCH"))
	out := filepath.Join(tb.TempDir(), "bodies")
	args := append([]string{"build", "-o", out}, m.Args...)
	env := append(os.Environ(), "GOOS=linux", "GOARCH="+m.GOARCH, "CGO_ENABLED=0")
	env = append(env, m.Env...)
	if m.Cgo {
		if _, err := exec.LookPath("gcc"); err != nil {
			tb.Skip("cgo needs a C compiler: ", err)
		}
		if host != m.GOARCH {
			tb.Skip("cgo for ", m.GOARCH, " needs a C compiler for it")
		}
		env = append(env, "CGO_ENABLED=1")
	}
	if m.PGO {
		dir := strings.TrimSpace(Go(tb, "", "list", "-f", "{{.Dir}}", Bodies))
		profile, err := HotProfile(dir, "main", HotCall{Caller: "main", Callee: "weigh"})
		if err != nil {
			tb.Fatal(err)
		}
		name := filepath.Join(tb.TempDir(), "cpu.pprof")
		if err := os.WriteFile(name, profile, 0o666); err != nil {
			tb.Fatal(err)
		}
		args = append(args, "-pgo="+name)
	}
	cmd := exec.Command("go", append(args, Bodies)...)
	cmd.Env = env
	if text, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("go %v: %v\n%s", args, err, text)
	}
	if m.Strip {
		if _, err := exec.LookPath("strip"); err != nil {
			tb.Skip("no strip: ", err)
		}
		if text, err := exec.Command("strip", out).CombinedOutput(); err != nil {
			tb.Fatalf("strip: %v\n%s", err, text)
		}
	}
	return out
}
