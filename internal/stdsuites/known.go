//go:build unix

package main

import (
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// knownText lists the differences that are known, with their causes.
//
//go:embed known.txt
var knownText string

// errKnown is the error of a line of known.txt that cannot be read.
var errKnown = errors.New("stdsuites: known.txt: want a package, a test, conditions in brackets and a reason")

// A known is one line of known.txt.
type known struct {
	line       int
	pkg, test  string
	conditions []string // any of them has to hold; none: always
	sometimes  bool     // the difference may be absent
	reason     string
	used       bool
}

// parseKnown reads lines as in
//
//	net/http TestX [native go1.26 sometimes] why it differs
//
// A condition is a mode, a mode without its size, or a Go release. Lines that
// begin with # are comments.
func parseKnown(text string) ([]*known, error) {
	var all []*known
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		k := &known{line: i + 1}
		var rest string
		k.pkg, rest, _ = strings.Cut(line, " ")
		k.test, rest, _ = strings.Cut(strings.TrimSpace(rest), " ")
		rest, ok := strings.CutPrefix(strings.TrimSpace(rest), "[")
		inside, reason, closed := strings.Cut(rest, "]")
		if !ok || !closed || strings.TrimSpace(reason) == "" {
			return nil, fmt.Errorf("%w: line %d: %s", errKnown, k.line, line)
		}
		k.reason = strings.TrimSpace(reason)
		for _, c := range strings.Fields(inside) {
			if c == "sometimes" {
				k.sometimes = true
				continue
			}
			k.conditions = append(k.conditions, c)
		}
		all = append(all, k)
	}
	return all, nil
}

// applies reports whether the line is about a run in that mode with that release, as
// in go1.26.8.
func (k *known) applies(mode, version string) bool {
	kind, _, _ := strings.Cut(mode, ":")
	return len(k.conditions) == 0 || slices.ContainsFunc(k.conditions, func(c string) bool {
		return c == mode || c == kind || c == version || strings.HasPrefix(version, c+".")
	})
}

// explain returns the line that lists d, and marks it as used.
func explain(all []*known, d difference, mode, version string) *known {
	for _, k := range all {
		if k.pkg == d.pkg && k.test == d.test && k.applies(mode, version) {
			k.used = true
			return k
		}
	}
	return nil
}

// unused returns the lines about packages that ran without showing the difference.
func unused(all []*known, ran []string, mode, version string) (left []*known) {
	for _, k := range all {
		if !k.used && !k.sometimes && k.applies(mode, version) && slices.Contains(ran, k.pkg) {
			left = append(left, k)
		}
	}
	return left
}
