//go:build unix

// Command stdsuites runs the standard library's own tests with the function of
// each goroutine on a task of this library, beside the same tests on plain
// goroutines, and compares the outcomes:
//
//	go run ./internal/stdsuites                     # make std-suites
//	go run ./internal/stdsuites -smoke              # make std-smoke
//	go run ./internal/stdsuites -mode native net/http regexp
//
// It works on a private copy of the Go tree, which it removes afterwards. In the
// copy's runtime, newproc calls a hook for each function, unless its name begins
// with "runtime." or with "stackhop"; the library lies in the copy's src, so that
// the tests of the packages that it imports can import it.
//
// A difference that known.txt does not list fails, and so does a line of known.txt
// for a difference that does not show. A difference counts if it shows in two runs of its
// package, or if a process died; one that shows once is printed.
// known.txt is complete for the default storage only: on stacks of a given size, tests of
// deep recursion end with an overflow.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// An options is the command line.
type options struct {
	pkgs  []string
	mode  string
	out   string        // folder for the output of the tests
	limit time.Duration // of the process of one package
}

func main() {
	var o options
	flag.StringVar(&o.mode, "mode", "default", "`storage` of the tasks: default, native, size:BYTES, strict:BYTES or growing:BYTES")
	flag.StringVar(&o.out, "out", filepath.Join("build", "std"), "`folder` for the output of the tests")
	flag.DurationVar(&o.limit, "limit", 3*time.Minute, "the longest that the process of one package may run")
	smoke := flag.Bool("smoke", false, "only a few packages that need little time")
	flag.Parse()
	switch o.pkgs = flag.Args(); {
	case len(o.pkgs) > 0:
	case *smoke:
		o.pkgs = smokePackages
	default:
		o.pkgs = fullPackages
	}
	tmp, err := os.MkdirTemp("", "stdsuites")
	if err != nil {
		fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := errors.Join(run(ctx, o, tmp, os.Stdout), os.RemoveAll(tmp)); err != nil {
		fatal(err)
	}
}

func fatal(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

var errDiffers = errors.New("stdsuites: the outcomes on tasks are not as expected")

func run(ctx context.Context, o options, tmp string, w io.Writer) error {
	all, err := parseKnown(knownText)
	if err != nil {
		return err
	}
	suites, err := prepare(ctx, o, tmp)
	if err != nil {
		return err
	}
	t := table{mode: o.mode, version: suites[0].root.version, known: all}
	t.head(w)
	for _, s := range suites {
		if err := t.compare(ctx, w, s); err != nil {
			return err
		}
	}
	return t.end(w, o.pkgs)
}

// prepare makes the copy of the Go tree in tmp and builds the tests of all packages.
func prepare(ctx context.Context, o options, tmp string) ([]*suite, error) {
	env, err := exec.Command("go", "env", "GOROOT", "GOVERSION").Output()
	if err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	from, version, _ := strings.Cut(strings.TrimSpace(string(env)), "\n")
	g, err := newGoroot(from, filepath.Join(tmp, "goroot"), version)
	if err != nil {
		return nil, err
	}
	if err := g.copyLibrary(); err != nil {
		return nil, err
	}
	out, err := filepath.Abs(o.out)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return nil, err
	}
	var suites []*suite
	for _, pkg := range o.pkgs {
		s := &suite{pkg: pkg, root: g, out: out, limit: o.limit}
		s.binary = filepath.Join(tmp, s.file()+".test")
		suites = append(suites, s)
	}
	return suites, build(ctx, suites)
}

// build builds the suites, as many at a time as there are processors.
func build(ctx context.Context, suites []*suite) error {
	// The first build compiles what all of them need.
	if err := suites[0].build(ctx); err != nil {
		return err
	}
	errs := make([]error, len(suites))
	var (
		wait sync.WaitGroup
		turn = make(chan struct{}, runtime.GOMAXPROCS(0))
	)
	for i, s := range suites[1:] {
		wait.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			errs[i] = s.build(ctx)
		})
	}
	wait.Wait()
	return errors.Join(slices.DeleteFunc(errs, func(err error) bool { return err == nil })...)
}
