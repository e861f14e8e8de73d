package pcln

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stackhop/stackhop/internal/testsupport"
	"github.com/stretchr/testify/require"
)

var long = flag.Bool("long", false, "read programs of every build mode, and large ones")

// bodies is the package that the programs are built from, but for its name.
const bodies = "internal/testsupport/testdata/bodies/main.go"

// A program is read whatever is stripped from it, and however it is linked.
func TestProgramsOfEveryBuildMode(t *testing.T) {
	for _, m := range testsupport.BuildModes {
		t.Run(m.Name, func(t *testing.T) {
			if !*long {
				t.Skip("builds a program; only with -long")
			}
			tab, err := Open(m.Build(t))
			require.NoError(t, err)
			require.Equal(t, m.GOARCH, tab.Image.Arch.String())
			if m.Name == "plugin" || m.Name == "plugin stripped" {
				requireBodies(t, tab, "")
				return
			}
			requireAsGosym(t, tab)
			requireBodies(t, tab, "main.")
			require.Equal(t, m.PGO, inlines(tab.Lookup("main.main")[0], "main.weigh"))
			for name, id := range map[string]FuncID{"runtime.mcall": Mcall, "runtime.goexit": Goexit, "runtime.systemstack": Systemstack} {
				require.NotEmpty(t, tab.Lookup(name), name)
				require.Equal(t, id, tab.Lookup(name)[0].ID, name)
			}
			require.NotZero(t, tab.Lookup("runtime.goexit")[0].Flags&TopFrame)
			require.NotZero(t, tab.Lookup("runtime.gogo")[0].Flags&Assembly)
		})
	}
}

// inlines reports whether a function is inlined in f.
func inlines(f *Func, name string) bool {
	for _, s := range f.lines().inlined {
		for _, fr := range f.Frames(s.Start)[1:] {
			if fr.Func == name {
				return true
			}
		}
	}
	return false
}

// requireBodies checks what the source says of the functions of package main.
func requireBodies(t *testing.T, tab *Table, prefix string) {
	t.Helper()
	var large, recovers *Func
	inlined := 0
	for _, f := range tab.Funcs {
		if strings.HasSuffix(f.File(), bodies) && strings.HasPrefix(f.Name, prefix) {
			switch {
			case strings.HasSuffix(f.Name, ".large"):
				large = f
			case strings.HasSuffix(f.Name, ".recovers"):
				recovers = f
			}
		}
		for _, s := range f.lines().inlined {
			if s.Value >= 0 {
				inlined++
			}
		}
	}
	require.NotNil(t, large)
	require.Greater(t, large.MaxDepth(), 70_000)
	require.NotNil(t, recovers)
	require.NotZero(t, recovers.DeferReturn)
	require.Positive(t, recovers.StartLine)
	if !strings.Contains(t.Name(), "not_optimized") {
		require.Greater(t, inlined, 1000)
	}
}

// What is stripped does not matter: each function has the same tables.
func TestStrippingChangesNothing(t *testing.T) {
	if !*long {
		t.Skip("builds programs; only with -long")
	}
	open := func(name string) *Table {
		for _, m := range testsupport.BuildModes {
			if m.Name == name {
				tab, err := Open(m.Build(t))
				require.NoError(t, err)
				return tab
			}
		}
		panic("no such build mode: " + name)
	}
	for plain, others := range map[string][]string{"plain": {"without symbols", "stripped"}, "pie": {"pie without symbols"}, "arm64": {"arm64 without symbols"}} {
		want := open(plain)
		for _, name := range others {
			got := open(name)
			require.Equal(t, len(want.Funcs), len(got.Funcs))
			for i, f := range got.Funcs {
				w := want.Funcs[i]
				require.Equal(t, w.Name, f.Name)
				require.Equal(t, w.End-w.Entry, f.End-f.Entry)
				require.Equal(t, len(w.Depths()), len(f.Depths()), f.Name)
				for j, s := range f.Depths() {
					require.Equal(t, Span{w.Depths()[j].Start - w.Entry, w.Depths()[j].End - w.Entry, w.Depths()[j].Value}, Span{s.Start - f.Entry, s.End - f.Entry, s.Value}, f.Name)
				}
			}
		}
	}
}

// The large programs that the release itself consists of are read.
func TestTheReleasesOwnPrograms(t *testing.T) {
	if !*long {
		t.Skip("reads large programs; only with -long")
	}
	tools := strings.TrimSpace(testsupport.Go(t, "", "env", "GOTOOLDIR"))
	for _, name := range []string{filepath.Join(goroot(t), "bin", "go"), filepath.Join(tools, "compile"), filepath.Join(tools, "link")} {
		tab, err := Open(name)
		if os.IsNotExist(err) {
			t.Logf("no %s here", name)
			continue
		}
		require.NoError(t, err)
		requireAsGosym(t, tab)
	}
}
