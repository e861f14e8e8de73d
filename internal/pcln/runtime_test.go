package pcln

import (
	"debug/gosym"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stackhop/stackhop/internal/testsupport"
	"github.com/stretchr/testify/require"
)

// self reads this test's own file, unless the test runs elsewhere than the
// package reads.
func self(t *testing.T) *Table {
	t.Helper()
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		t.Skip("the test's own file is not an ELF file for amd64 or arm64")
	}
	name, err := os.Executable()
	require.NoError(t, err)
	tab, err := Open(name)
	require.NoError(t, err)
	return tab
}

// places returns every instruction at which one of a function's tables changes,
// and the last before each.
func (f *Func) places() []uint64 {
	var all []uint64
	l := f.lines()
	for _, spans := range [][]Span{l.depths, l.files, l.nums, l.inlined} {
		for _, s := range spans {
			all = append(all, s.Start, s.End-f.t.Image.Arch.quantum())
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// shortened returns a name as the runtime prints it.
func shortened(name string) string {
	i, j := strings.IndexByte(name, '['), strings.LastIndexByte(name, ']')
	if i < 0 || j <= i {
		return name
	}
	return name[:i] + "[...]" + name[j+1:]
}

// The runtime of this very program tells the same of every instruction.
func TestFramesAreThoseOfTheRuntime(t *testing.T) {
	tab := self(t)
	entry := reflect.ValueOf(Parse).Pointer()
	slide := entry - uintptr(tab.Lookup("github.com/stackhop/stackhop/internal/pcln.Parse")[0].Entry)
	var frames, deepest int
	for i, f := range tab.Funcs {
		if testing.Short() && i%8 != 0 {
			continue
		}
		if len(f.Depths()) == 0 {
			continue // a mark that the linker puts into the text
		}
		for _, pc := range f.places() {
			all := f.Frames(pc)
			deepest = max(deepest, len(all))
			for i, fr := range all {
				if fr.PC+1 == f.End {
					continue // as a return address, fr.PC+1 would belong to the next function
				}
				theirs, _ := runtime.CallersFrames([]uintptr{uintptr(fr.PC) + slide + 1}).Next()
				if theirs.Function == "" && le.Uint32(f.record[recName:]) == 0 {
					theirs.Function = f.Name // the runtime takes the first name for none
				}
				if shortened(fr.Func) != theirs.Function || fr.File != theirs.File || fr.Line != theirs.Line || f.Entry+uint64(slide) != uint64(theirs.Entry) {
					t.Fatalf("%s+%#x, frame %d: %+v, the runtime has %+v", f.Name, pc-f.Entry, i, fr, theirs)
				}
				frames++
			}
			if i := len(all) - 1; i > 0 {
				require.Equal(t, shortened(all[i].Func), runtime.FuncForPC(uintptr(pc)+slide).Name())
			}
		}
	}
	require.Greater(t, frames, 10_000)
	require.Greater(t, deepest, 3)
	t.Logf("%d functions, %d frames, at most %d at an instruction", len(tab.Funcs), frames, deepest)
}

// Package debug/gosym reads the same files and lines, of other programs too.
func requireAsGosym(t *testing.T, tab *Table) {
	header := tab.m.header
	lines, err := gosym.NewTable(nil, gosym.NewLineTable(tab.Image.Bytes(header, tab.Image.segment(header).end()-header), tab.m.text))
	require.NoError(t, err)
	require.Equal(t, len(lines.Funcs), len(tab.Funcs))
	n := 0
	for i, f := range tab.Funcs {
		require.Equal(t, lines.Funcs[i].Name, f.Name)
		require.Equal(t, lines.Funcs[i].Entry, f.Entry)
		require.Equal(t, lines.Funcs[i].End, f.End)
		for _, s := range f.lines().nums {
			file, line, _ := lines.PCToLine(s.Start)
			ourFile, ourLine := f.FileLine(s.Start)
			if file != ourFile || line != ourLine {
				t.Fatalf("%s+%#x: %s:%d, gosym has %s:%d", f.Name, s.Start-f.Entry, ourFile, ourLine, file, line)
			}
			n++
		}
	}
	t.Logf("%d functions, %d places", len(tab.Funcs), n)
}

func TestFilesAndLinesAreThoseOfGosym(t *testing.T) {
	t.Run("self", func(t *testing.T) { requireAsGosym(t, self(t)) })
	t.Run("gofmt", func(t *testing.T) {
		tab, err := Open(filepath.Join(goroot(t), "bin", "gofmt"))
		if err != nil {
			t.Skip("GOROOT has no gofmt that this package reads: ", err)
		}
		requireAsGosym(t, tab)
	})
}

func goroot(t *testing.T) string {
	t.Helper()
	return strings.TrimSpace(testsupport.Go(t, "", "env", "GOROOT"))
}

// parseRuntime parses a file of the standard library of the release that runs.
func parseRuntime(t *testing.T, name string) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(goroot(t), "src", name), nil, 0)
	require.NoError(t, err)
	return f
}

// The words of moduledata and the fields of pcHeader are where this package reads them.
func TestLayoutsAreTheRuntimes(t *testing.T) {
	f := parseRuntime(t, "runtime/symtab.go")
	at := map[string]int{}
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.TYPE {
			continue
		}
		spec := g.Specs[0].(*ast.TypeSpec)
		st, ok := spec.Type.(*ast.StructType)
		if !ok || spec.Name.Name != "moduledata" && spec.Name.Name != "pcHeader" {
			continue
		}
		word := 0
		if spec.Name.Name == "pcHeader" {
			word = -4 // magic, two pads, minLC, ptrSize: together a word
		}
		for _, fld := range st.Fields.List {
			size := 1
			if a, ok := fld.Type.(*ast.ArrayType); ok && a.Len == nil {
				size = 3
			}
			for _, n := range fld.Names {
				at[spec.Name.Name+"."+n.Name] = word
				if word += size; spec.Name.Name == "pcHeader" && word == 1 {
					break
				}
			}
		}
	}
	// The header's first word holds five fields.
	fields := map[string]int{"pcHeader.nfunc": hdrFuncs, "pcHeader.funcnameOffset": hdrNames, "pcHeader.cuOffset": hdrCUs,
		"pcHeader.filetabOffset": hdrFiles, "pcHeader.pctabOffset": hdrValues, "pcHeader.pclnOffset": hdrFtab}
	for n, off := range fields {
		require.Contains(t, at, n)
		require.Equal(t, off, 8*at[n], n)
	}
	want := map[string]int{"pcHeader": mdHeader, "funcnametab": mdNames, "cutab": mdCUs, "filetab": mdFiles, "pctab": mdValues,
		"pclntable": mdPclntab, "ftab": mdFtab, "text": mdText}
	for n, w := range want {
		require.Contains(t, at, "moduledata."+n)
		require.Equal(t, w, at["moduledata."+n], n)
	}
	release := strings.Join(strings.SplitN(runtime.Version(), ".", 3)[:2], ".")
	release, _, _ = strings.Cut(release, "-")
	i := slices.IndexFunc(layouts, func(l layout) bool { return l.release == release })
	require.GreaterOrEqual(t, i, 0, "no layout for %s", release)
	require.Equal(t, layouts[i].gofunc, at["moduledata.gofunc"])
	require.Equal(t, layouts[i].textsects, at["moduledata.textsectmap"])
}

// The numbers of functions and tables are those of internal/abi.
func TestNumbersAreThoseOfTheRuntime(t *testing.T) {
	var ids []string
	values := map[string]string{}
	for _, d := range parseRuntime(t, "internal/abi/symtab.go").Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		for _, s := range g.Specs {
			v := s.(*ast.ValueSpec)
			if name, ok := strings.CutPrefix(v.Names[0].Name, "FuncID"); ok {
				ids = append(ids, strings.ToLower(strings.ReplaceAll(name, "_", "")))
			} else if len(v.Values) == 1 {
				if l, ok := v.Values[0].(*ast.BasicLit); ok {
					values[v.Names[0].Name] = l.Value
				}
			}
		}
	}
	ours := []string{Normal: "normal", Abort: "abort", Asmcgocall: "asmcgocall", AsyncPreempt: "asyncpreempt",
		Cgocallback: "cgocallback", Corostart: "corostart", DebugCallV2: "debugcallv2", GCBgMarkWorker: "gcbgmarkworker",
		Goexit: "goexit", Gogo: "gogo", Gopanic: "gopanic", HandleAsyncEvent: "handleasyncevent", Mcall: "mcall",
		Morestack: "morestack", Mstart: "mstart", Panicwrap: "panicwrap", RT0Go: "rt0go", RuntimeMain: "runtimemain",
		RunFinalizers: "runfinalizers", RunCleanups: "runcleanups", Sigpanic: "sigpanic", Systemstack: "systemstack",
		SystemstackSwitch: "systemstackswitch", Wrapper: "wrapper"}
	require.Equal(t, ours, ids)
	require.Equal(t, "2", values["PCDATA_InlTreeIndex"])
	require.Equal(t, "3", values["FUNCDATA_InlTree"])
	require.Equal(t, "2", values["FUNCDATA_StackObjects"])
	require.Equal(t, "7", values["FUNCDATA_WrapInfo"])
}
