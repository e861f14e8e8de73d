package testsupport

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

const module = "github.com/stackhop/stackhop"

// Main is a TestMain: it runs a child if this process is one, else the tests,
// and afterwards fails the run for every goroutine of this module that is
// left, and for every leak that a check tells. Children exit without checks.
func Main(m *testing.M, checks ...func() []string) {
	if ran, err := runAsChild(); ran {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(3)
		}
		os.Exit(0)
	}
	flag.Parse()
	code := m.Run()
	if code == 0 {
		for _, leak := range leaks(checks) {
			code = 1
			fmt.Printf("FAIL: leaked by the tests: %s\n", leak)
		}
	}
	os.Exit(code)
}

// leaks gives what is on its way out up to five seconds.
func leaks(checks []func() []string) []string {
	var left []string
	for range 50 {
		left = Goroutines()[1:]
		for _, check := range checks {
			left = append(left, check()...)
		}
		if len(left) == 0 {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	return left
}

// Goroutines returns the calling goroutine's stack, and behind it those of all
// goroutines that run code of this module's tests. A coroutine without such
// code is idle, and kept by some pool.
func Goroutines() []string {
	buf := make([]byte, 1<<16)
	n := runtime.Stack(buf, true)
	for n == len(buf) {
		buf = make([]byte, 2*len(buf))
		n = runtime.Stack(buf, true)
	}
	all := strings.Split(strings.TrimSpace(string(buf[:n])), "\n\n")
	own := all[:1]
	for _, g := range all[1:] {
		if strings.Contains(g, module) && strings.Contains(g, "_test.go:") && !strings.Contains(g, "testing.(*T).Run(") {
			own = append(own, g)
		}
	}
	return own
}
