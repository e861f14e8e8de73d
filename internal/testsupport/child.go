package testsupport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

const childEnv = "STACKHOP_TEST_CHILD"

// ErrNoChild is the sentinel of a process that was started as a child that
// nobody registered.
var ErrNoChild = errors.New("testsupport: no such child")

var children = map[string]func(){}

// Child registers fn as a function that RunChild can run in a new process of
// this test binary. It is for package variables:
//
//	var _ = testsupport.Child("overflow", func() { … })
func Child(name string, fn func()) struct{} {
	if _, twice := children[name]; twice {
		panic("testsupport: two children are called " + name)
	}
	children[name] = fn
	return struct{}{}
}

// IsChild reports whether this process was started by RunChild, and has not
// begun its work.
func IsChild() bool { return os.Getenv(childEnv) != "" }

// runAsChild runs fn's child if this process was started as one.
func runAsChild() (ran bool, err error) {
	name := os.Getenv(childEnv)
	if name == "" {
		return false, nil
	}
	fn, ok := children[name]
	if !ok {
		return true, fmt.Errorf("%w: %q", ErrNoChild, name)
	}
	// Grandchildren, the go command's tests among them, are no children.
	if err := os.Unsetenv(childEnv); err != nil {
		return true, err
	}
	fn()
	return true, nil
}

// A Result is what a child left behind.
type Result struct {
	Stdout, Stderr string
	Code           int    // exit status, -1 after a signal
	State          string // as the system tells it: "exit status 2", "signal: killed"
}

// RunChild runs the named child with env added to the environment (a GODEBUG
// is added to an inherited one), and waits. A child that outlives limit gets
// a SIGQUIT, for the dump of its goroutines, and fails the test.
func RunChild(tb testing.TB, name string, limit time.Duration, env ...string) Result {
	tb.Helper()
	if reason := NoChildren(); reason != "" {
		tb.Skip(reason)
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	argv := selfCommand()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = mergeEnv(os.Environ(), append(env, childEnv+"="+name))
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGQUIT) }
	cmd.WaitDelay = 10 * time.Second
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	if ctx.Err() != nil {
		tb.Fatalf("child %s with %v hung for %v\n%s\n%s", name, env, limit, Tail(out.String()), Tail(errOut.String()))
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		tb.Fatalf("child %s: %v", name, err)
	}
	return Result{out.String(), errOut.String(), cmd.ProcessState.ExitCode(), cmd.ProcessState.String()}
}

// RequireOK fails the test unless the child ended well and said ok last.
func (r Result) RequireOK(tb testing.TB) {
	tb.Helper()
	if r.Code != 0 || !strings.HasSuffix(strings.TrimSpace(r.Stdout), "ok") {
		tb.Fatalf("child: %s\n%s\n%s", r.State, Tail(r.Stdout), Tail(r.Stderr))
	}
}

// Tail shortens what a failure prints: its first and last lines tell most.
func Tail(s string) string {
	const keep = 6000
	if len(s) <= 2*keep {
		return s
	}
	return s[:keep] + "\n… shortened …\n" + s[len(s)-keep:]
}

func mergeEnv(base, extra []string) []string {
	out := append([]string(nil), base...)
	for _, kv := range extra {
		key, value, _ := strings.Cut(kv, "=")
		for i, old := range out {
			if rest, ok := strings.CutPrefix(old, key+"="); ok {
				if key == "GODEBUG" && rest != "" {
					value = rest + "," + value
				}
				out = append(out[:i], out[i+1:]...)
				break
			}
		}
		out = append(out, key+"="+value)
	}
	return out
}
