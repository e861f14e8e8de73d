// Command layoutgen writes the kernel's layout files, layout_go1NN.go, from the
// DWARF of a small program that it builds with each known Go release for each
// architecture. Run it from the module's root:
//
//	go generate .                            # write the files
//	go run ./internal/layoutgen -check       # exit 1 if a file would change
//	go run ./internal/layoutgen -check -arch arm64 -release 26
//
// The other releases' toolchains come through GOTOOLCHAIN.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/stackhop/stackhop/internal/layoutgen/offsets"
)

var (
	errDiffers = errors.New("layoutgen: layout file is not what the DWARF says; run go generate")
	errArches  = errors.New("layoutgen: the architectures' layouts differ; they need files of their own")
	errRelease = errors.New("layoutgen: unknown release")
)

func main() {
	check := flag.Bool("check", false, "write nothing; exit 1 if a file would change")
	arches := flag.String("arch", "amd64,arm64", "`architectures` to read, comma-separated")
	minor := flag.Int("release", 0, "only Go 1.`N` (0: all)")
	dir := flag.String("dir", ".", "the `folder` of the layout files")
	flag.Parse()

	if err := run(*check, strings.Split(*arches, ","), *minor, *dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(check bool, arches []string, minor int, dir string) error {
	tmp, err := os.MkdirTemp("", "layoutgen")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)

	found := false
	var prev *offsets.Table
	var before release
	for i, r := range releases {
		// A release's file also tells what changed, so the one before is read too.
		wanted := minor == 0 || minor == r.Minor
		if !wanted && (i+1 == len(releases) || releases[i+1].Minor != minor) {
			continue
		}
		t, err := read(r, arches, tmp)
		if err != nil {
			return err
		}
		if wanted {
			found = true
			if err := emit(check, dir, r, t, before, prev); err != nil {
				return err
			}
		}
		prev, before = &t, r
	}
	if !found {
		return fmt.Errorf("%w: Go 1.%d", errRelease, minor)
	}
	return nil
}

// read returns the layout of r, which must be the same on all of arches.
func read(r release, arches []string, tmp string) (offsets.Table, error) {
	var first offsets.Table
	for i, arch := range arches {
		bin, err := offsets.Build("go", r.Toolchain, arch, tmp)
		if err != nil {
			return first, err
		}
		t, err := offsets.Read(bin, offsets.Fields)
		if err != nil {
			return first, err
		}
		if i == 0 {
			first = t
		} else if !reflect.DeepEqual(first, t) {
			return first, fmt.Errorf("%w: %s: %s %v, %s %v", errArches, r.Toolchain, arches[0], first, arch, t)
		}
	}
	return first, nil
}

// emit writes the file of r, or with check compares it.
func emit(check bool, dir string, r release, t offsets.Table, before release, prev *offsets.Table) error {
	text, err := render(r, t, before, prev)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, fmt.Sprintf("layout_go1%d.go", r.Minor))
	if !check {
		return os.WriteFile(path, text, 0o644)
	}
	have, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !bytes.Equal(have, text) {
		return fmt.Errorf("%w: %s", errDiffers, path)
	}
	return nil
}
