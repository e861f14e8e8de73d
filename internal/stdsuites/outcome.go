//go:build unix

package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// An outcome is how a test ended.
type outcome string

const (
	none outcome = "none" // it did not run
	pass outcome = "pass"
	skip outcome = "skip"
	fail outcome = "fail"
	died outcome = "died" // its process died, or ran out of time, during it
)

// wholeProcess is the name of a pseudo-test: the exit status of the test binary.
const wholeProcess = "(process)"

// outcomes has one for each test and subtest, by name.
type outcomes map[string]outcome

func (o outcomes) count(want outcome) (n int) {
	for name, got := range o {
		if got == want && name != wholeProcess {
			n++
		}
	}
	return n
}

// failed returns how many failed or died.
func (o outcomes) failed() int { return o.count(fail) + o.count(died) }

// of is the outcome of the test of that name.
func (o outcomes) of(name string) outcome {
	if got, ok := o[name]; ok {
		return got
	}
	return none
}

// top returns the name of the test that name is, or is a subtest of.
func top(name string) string {
	name, _, _ = strings.Cut(name, "/")
	return name
}

// address is an address in the name of a subtest, which differs from run to run.
var address = regexp.MustCompile(`0x[0-9a-f]{6,}`)

// A namer gives tests their names without addresses.
type namer struct {
	names map[string]string // by the name that the test prints
	taken map[string]int    // how many tests have a name
}

// name returns the name without addresses. Of several tests with the same one, those
// that come later get a number.
func (n namer) name(test string) string {
	if short, ok := n.names[test]; ok {
		return short
	}
	short := address.ReplaceAllString(test, "0x…")
	n.taken[short]++
	if i := n.taken[short]; i > 1 {
		short = fmt.Sprintf("%s#%d", short, i)
	}
	n.names[test] = short
	return short
}

// parse reads what a test binary prints with -test.v=test2json: each line of the
// testing package begins with a byte that marks it. begun are the tests and
// subtests that began and have no outcome. A test that panics has failed, and the process
// dies next: panicked is the innermost of the last test that failed, if none ended
// after it and the output goes on with a panic.
func parse(output string) (ended outcomes, begun []string, panicked string) {
	ended = outcomes{}
	running := map[string]bool{}
	names := namer{map[string]string{}, map[string]int{}}
	for _, line := range strings.Split(output, "\x16")[1:] {
		line, _, _ = strings.Cut(line, "\n")
		word, rest, _ := strings.Cut(strings.TrimLeft(line, " "), " ")
		switch word {
		case "===":
			if verb, name, _ := strings.Cut(rest, " "); verb == "RUN" {
				running[names.name(strings.TrimSpace(name))] = true
			}
		case "---":
			verb, name, _ := strings.Cut(rest, ": ")
			name, _, _ = strings.Cut(name, " ")
			name = names.name(name)
			switch verb {
			case "PASS", "SKIP", "FAIL":
				if verb != "FAIL" {
					panicked = ""
				} else if top(panicked) != top(name) {
					panicked = name
				}
				ended[name] = outcome(strings.ToLower(verb))
				delete(running, name)
			}
		}
	}
	for name := range running {
		begun = append(begun, name)
	}
	slices.Sort(begun)
	if last := strings.LastIndexByte(output, 0x16); last < 0 || !strings.Contains(output[last:], "\npanic: ") {
		panicked = ""
	}
	return ended, begun, panicked
}

// A difference is a test with another outcome on tasks.
type difference struct {
	pkg, test  string
	goroutines outcome
	tasks      outcome
}

// differences compares the outcomes of one package. A subtest that fails makes its
// parents fail, and a test that fails early does not run its subtests: these are
// left out.
func differences(pkg string, goroutines, tasks outcomes) []difference {
	names := map[string]bool{}
	for name := range goroutines {
		names[name] = true
	}
	for name := range tasks {
		names[name] = true
	}
	var all []difference
	for name := range names {
		if g, t := goroutines.of(name), tasks.of(name); g != t {
			all = append(all, difference{pkg, name, g, t})
		}
	}
	slices.SortFunc(all, func(a, b difference) int { return strings.Compare(a.test, b.test) })
	return slices.DeleteFunc(slices.Clone(all), func(d difference) bool {
		return slices.ContainsFunc(all, d.follows)
	})
}

// follows reports whether d is a consequence of e.
func (d difference) follows(e difference) bool {
	within := func(inner, outer string) bool { return strings.HasPrefix(inner, outer+"/") }
	bothRan := func(d difference) bool { return d.goroutines != none && d.tasks != none }
	switch {
	case d.test == wholeProcess:
		return e.test != wholeProcess
	case within(e.test, d.test):
		return bothRan(e)
	case within(d.test, e.test):
		return !bothRan(d)
	}
	return false
}
