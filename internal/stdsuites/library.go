//go:build unix

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	modulePath = "github.com/stackhop/stackhop"
	hookPath   = modulePath + "/internal/stdsuites/hook"
	inSrc      = "stackhop" // where the copy lies in src, and what its import paths begin with
)

// A listed package is one that go list prints.
type listed struct {
	ImportPath string
	Dir        string
	Standard   bool
}

// copyLibrary copies the hook, the library and what they import to g's src. Every
// import path loses its host name, which makes the packages part of the standard
// library: so the tests of any package there can import them.
func (g goroot) copyLibrary() error {
	pkgs, err := list(hookPath)
	if err != nil {
		return err
	}
	for _, p := range pkgs {
		if p.Standard {
			continue
		}
		if err := copyPackage(p.Dir, g.src(filepath.FromSlash(pathInSrc(p.ImportPath)))); err != nil {
			return err
		}
	}
	return nil
}

// pathInSrc returns the import path of the copy of package path.
func pathInSrc(path string) string {
	if rest, ok := strings.CutPrefix(path, modulePath); ok && (rest == "" || rest[0] == '/') {
		// Tests outside stackhop import the hook.
		return inSrc + strings.Replace(rest, "/internal/stdsuites/", "/stdsuites/", 1)
	}
	if rest, ok := strings.CutPrefix(path, "golang.org/"); ok {
		return inSrc + "/" + rest
	}
	return path
}

// list returns path and all that it imports.
func list(path string) ([]listed, error) {
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Dir,Standard", path)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list -deps %s: %w", path, err)
	}
	var all []listed
	dec := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
}

// copyPackage copies the Go and assembly files of a package, without its tests.
func copyPackage(from, to string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := e.Name()
		switch filepath.Ext(name) {
		case ".go", ".s", ".h":
		default:
			continue
		}
		if e.IsDir() || strings.HasSuffix(name, "_test.go") {
			continue
		}
		data, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			return err
		}
		if filepath.Ext(name) == ".go" {
			if data, err = renameImports(name, data); err != nil {
				return err
			}
		}
		if err := os.WriteFile(filepath.Join(to, name), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// renameImports returns the Go file with each import path as pathInSrc has it.
func renameImports(name string, data []byte) ([]byte, error) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, name, data, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	var out []byte
	done := 0
	for _, spec := range f.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		begin, end := fset.PositionFor(spec.Path.Pos(), false).Offset, fset.PositionFor(spec.Path.End(), false).Offset
		out = append(append(out, data[done:begin]...), strconv.Quote(pathInSrc(path))...)
		done = end
	}
	return append(out, data[done:]...), nil
}
