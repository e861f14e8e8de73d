//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/stackhop/stackhop/internal/stdsuites/counts"
)

// goroutines is the mode without tasks.
const goroutines = "goroutines"

// A suite is the tests of one package of the standard library.
type suite struct {
	pkg    string
	root   goroot
	out    string        // folder for what the runs print
	binary string        // where the built tests are
	limit  time.Duration // of one process
}

// A result is what one run of a suite in one mode has shown.
type result struct {
	outcomes
	totals counts.Totals
	took   time.Duration
	base   string // files of the run: base.txt has what it printed, base.notes what the hook noted
}

// file is the package's path as part of a file's name.
func (s *suite) file() string { return strings.ReplaceAll(s.pkg, "/", "_") }

func (s *suite) dir() string { return s.root.src(filepath.FromSlash(s.pkg)) }

// build compiles the tests with the hook among them.
func (s *suite) build(ctx context.Context) error {
	name, err := s.command(ctx, "go", "list", "-f", "{{.Name}}", ".").Output()
	if err != nil {
		return fmt.Errorf("go list %s: %w", s.pkg, err)
	}
	text := fmt.Sprintf("package %s_test\n\nimport _ %q\n", strings.TrimSpace(string(name)), pathInSrc(hookPath))
	if err := os.WriteFile(filepath.Join(s.dir(), "zz_hook_test.go"), []byte(text), 0o644); err != nil {
		return err
	}
	if out, err := s.command(ctx, "go", "test", "-c", "-vet=off", "-ldflags=-w", "-o", s.binary).CombinedOutput(); err != nil {
		return fmt.Errorf("go test -c %s: %w\n%s", s.pkg, err, out)
	}
	return nil
}

// command returns a command that runs in the package's folder, with the copy as its
// Go tree.
func (s *suite) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	if name == "go" {
		name = filepath.Join(s.root.dir, "bin", "go")
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = s.dir()
	cmd.WaitDelay = 10 * time.Second
	cmd.Env = append(os.Environ(),
		"GOROOT="+s.root.dir,
		"PATH="+filepath.Join(s.root.dir, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"),
		"PWD="+cmd.Dir,
		"GOTOOLCHAIN=local", "GOFLAGS=", "GOWORK=off",
	)
	return cmd
}

// deaths bounds how often the process of a suite may die.
const deaths = 30

// run runs the tests in one mode, for the try-th time. If their process dies, the test that ran then
// has died, and another process runs the tests that had no turn.
func (s *suite) run(ctx context.Context, mode string, try int) (*result, error) {
	begin := time.Now()
	r := &result{outcomes: outcomes{}, base: filepath.Join(s.out, fmt.Sprintf("%s.%s.%d", s.file(), strings.ReplaceAll(mode, ":", "-"), try))}
	for _, name := range []string{r.base + ".txt", r.base + ".notes"} {
		if err := os.WriteFile(name, nil, 0o666); err != nil {
			return nil, err
		}
	}
	if err := counts.Create(r.base + ".counts"); err != nil {
		return nil, err
	}
	for range deaths {
		before := len(r.outcomes)
		begun, err := s.process(ctx, r, mode, "-test.skip="+exactly(r.tops()))
		if err == nil {
			break
		}
		if !errors.Is(err, errDied) {
			return nil, err
		}
		if len(begun) == 0 && len(r.outcomes) == before {
			break // not by a test
		}
		if err := s.blame(ctx, r, mode, begun); err != nil {
			return nil, err
		}
	}
	var err error
	r.totals, err = counts.Read(r.base + ".counts")
	r.took = time.Since(begin)
	return r, err
}

// blame finds out during which of the tests that had begun a process died: if they
// are several, it runs each in a process of its own.
func (s *suite) blame(ctx context.Context, r *result, mode string, begun []string) error {
	var tops []string
	for _, name := range begun {
		tops = append(tops, top(name))
	}
	slices.Sort(tops)
	tops = slices.Compact(tops)
	if len(tops) <= 1 {
		for _, name := range begun {
			r.outcomes[name] = died
		}
		return nil
	}
	for _, name := range tops {
		begun, err := s.process(ctx, r, mode, "-test.run="+exactly([]string{name}))
		if err != nil && !errors.Is(err, errDied) {
			return err
		}
		for _, name := range begun {
			r.outcomes[name] = died
		}
	}
	return nil
}

// tops returns the names of the tests that have an outcome.
func (r *result) tops() (names []string) {
	for name := range r.outcomes {
		if name != wholeProcess && top(name) == name {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// exactly returns a pattern for -test.run and -test.skip. Of no names it is empty,
// which skips nothing.
func exactly(names []string) string {
	if len(names) == 0 {
		return ""
	}
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = regexp.QuoteMeta(name)
	}
	return "^(" + strings.Join(quoted, "|") + ")$"
}

// errDied is the error of a process that did not come to the end of its tests.
var errDied = errors.New("stdsuites: the process of the tests died")

// process runs the test binary once, and puts the outcomes into r. If it dies, the
// error XX
func (s *suite) process(ctx context.Context, r *result, mode string, args ...string) (begun []string, err error) {
	f, err := os.OpenFile(r.base+".txt", os.O_RDWR|os.O_APPEND, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	begin, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	// The limit of the testing package prints the stacks; this one is for a process that cannot.
	limited, cancel := context.WithTimeout(ctx, s.limit+time.Minute)
	defer cancel()
	args = append(args, "-test.v=test2json", "-test.short", "-test.paniconexit0", "-test.timeout="+s.limit.String())
	cmd := s.command(limited, s.binary, args...)
	cmd.Env = append(cmd.Env, counts.EnvCounts+"="+r.base+".counts", counts.EnvNotes+"="+r.base+".notes")
	if mode != goroutines {
		cmd.Env = append(cmd.Env, counts.EnvMode+"="+mode)
	}
	cmd.Stdout, cmd.Stderr = f, f
	runErr := cmd.Run()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	if cmd.ProcessState == nil {
		return nil, fmt.Errorf("stdsuites: %s: %w", s.pkg, runErr)
	}
	output, err := io.ReadAll(io.NewSectionReader(f, begin, 1<<30))
	if err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintf(f, "\nstdsuites: %v\n", cmd.ProcessState); err != nil {
		return nil, err
	}
	ended, begun, panicked := parse(string(output))
	for name, o := range ended {
		r.outcomes[name] = o
	}
	switch status := cmd.ProcessState.ExitCode(); {
	case status == 0 && len(begun) == 0:
		r.end(pass)
	case status == 1 && len(begun) == 0:
		r.end(fail)
	default:
		r.end(died)
		if panicked != "" {
			r.outcomes[panicked] = died
			return nil, errDied
		}
		return begun, errDied
	}
	return nil, nil
}

// end notes how a process of the suite ended: the worst counts.
func (r *result) end(o outcome) {
	if was := r.outcomes[wholeProcess]; was != died && (was != fail || o == died) {
		r.outcomes[wholeProcess] = o
	}
}
