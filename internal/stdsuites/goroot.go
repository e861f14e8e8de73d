//go:build unix

package main

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// errPatch is the error of a runtime with source that is not as patch expects.
var errPatch = errors.New("stdsuites: the runtime's source is not as the patch expects")

// A goroot is a private copy of a Go tree: its runtime has the hook, and its
// src has this library.
type goroot struct {
	dir     string
	version string // as in go1.26.8
}

func (g goroot) src(elem ...string) string {
	return filepath.Join(append([]string{g.dir, "src"}, elem...)...)
}

// newGoroot makes a copy of the Go tree from in the folder dir, which must not exist.
// Only the standard library is copied; all else are links into from.
func newGoroot(from, dir, version string) (goroot, error) {
	g := goroot{dir, version}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return g, err
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		return g, err
	}
	for _, e := range entries {
		if e.Name() != "src" {
			if err := os.Symlink(filepath.Join(from, e.Name()), filepath.Join(dir, e.Name())); err != nil {
				return g, err
			}
		}
	}
	commands := filepath.Join(from, "src", "cmd")
	if err := copyTree(filepath.Join(from, "src"), g.src(), commands); err != nil {
		return g, err
	}
	if err := os.Symlink(commands, g.src("cmd")); err != nil {
		return g, err
	}
	return g, patch(g.src("runtime"))
}

// copyTree copies the folder from, without the folder except in it. Symbolic links
// stay links, and what is copied can be written to.
func copyTree(from, to, except string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path == except:
			return fs.SkipDir
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		dst := filepath.Join(to, rel)
		info, err := d.Info()
		if err != nil {
			return err
		}
		switch {
		case d.IsDir():
			return os.Mkdir(dst, 0o755)
		case info.Mode()&fs.ModeSymlink != 0:
			link, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(link, dst)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(dst, data, info.Mode().Perm()|0o200)
	})
}

// newprocBegin is how runtime.newproc begins in every known release.
const newprocBegin = "\nfunc newproc(fn *funcval) {\n\tgp := getg()\n"

// runtimeHook is a file of the patched runtime. The wrapped function's name decides:
// the runtime's own goroutines and the library's stay as they are.
//
//go:embed gowrap.go.txt
var runtimeHook []byte

// patch puts the hook into the runtime's source in dir.
func patch(dir string) error {
	path := filepath.Join(dir, "proc.go")
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, after, ok := strings.Cut(string(data), newprocBegin)
	if !ok || strings.Contains(after, newprocBegin) {
		return fmt.Errorf("%w: want once in %s:%s", errPatch, path, newprocBegin)
	}
	text := before + strings.Replace(newprocBegin, "{\n", "{\n\tfn = wrapGo(fn)\n", 1) + after
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "gowrap.go"), runtimeHook, 0o644)
}
