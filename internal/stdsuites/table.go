//go:build unix

package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"
)

// A table compares suites, and prints a row for each.
type table struct {
	mode, version string
	known         []*known

	sum       [2]struct{ pass, skip, fail int }
	totals    struct{ ran, refused, overflowed int64 }
	explained []explained
	surprises []difference
	once      []difference // seen in one of two runs
}

type explained struct {
	difference
	reason string
}

const rowFormat = "%-24s │ %6v %5v %5v %6v │ %6v %5v %5v %6v │ %8v %7v %8v │ %v\n"

func (t *table) head(w io.Writer) {
	fmt.Fprintf(w, "%s, tasks: %s\n\n", t.version, t.mode)
	fmt.Fprintf(w, "%-24s │ goroutines                │ tasks                     │ tasks of %s\n", "", t.mode)
	fmt.Fprintf(w, rowFormat, "package", "pass", "skip", "fail", "s", "pass", "skip", "fail", "s", "ran", "refused", "overflow", "differences")
}

// compare runs a suite on goroutines and on tasks, and prints its row. It runs both
// again if they differ in a way that is not known.
func (t *table) compare(ctx context.Context, w io.Writer, s *suite) error {
	g, tasks, diffs, err := t.both(ctx, s, 1)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(diffs, t.surprising) {
		first := diffs
		if g, tasks, diffs, err = t.both(ctx, s, 2); err != nil {
			return err
		}
		diffs = t.repeated(first, diffs)
	}
	for _, d := range diffs {
		if k := explain(t.known, d, t.mode, t.version); k != nil {
			t.explained = append(t.explained, explained{d, k.reason})
		} else {
			t.surprises = append(t.surprises, d)
		}
	}
	t.row(w, s.pkg, g, tasks, len(diffs))
	return nil
}

// repeated returns what counts of the differences of two runs: what both show, what is
// known, and every death on tasks.
func (t *table) repeated(first, second []difference) (all []difference) {
	union := slices.Clone(second)
	for _, d := range first {
		if !contains(second, d) {
			union = append(union, d)
		}
	}
	for _, d := range union {
		if contains(first, d) && contains(second, d) || d.tasks == died || !t.surprising(d) {
			all = append(all, d)
		} else {
			t.once = append(t.once, d)
		}
	}
	return all
}

func (t *table) both(ctx context.Context, s *suite, try int) (g, tasks *result, diffs []difference, err error) {
	if g, err = s.run(ctx, goroutines, try); err != nil {
		return nil, nil, nil, err
	}
	if tasks, err = s.run(ctx, t.mode, try); err != nil {
		return nil, nil, nil, err
	}
	return g, tasks, differences(s.pkg, g.outcomes, tasks.outcomes), nil
}

func (t *table) surprising(d difference) bool { return explain(t.known, d, t.mode, t.version) == nil }

func contains(all []difference, d difference) bool {
	return slices.ContainsFunc(all, func(e difference) bool { return e.pkg == d.pkg && e.test == d.test })
}

func (t *table) row(w io.Writer, pkg string, g, tasks *result, diffs int) {
	for i, r := range []*result{g, tasks} {
		t.sum[i].pass += r.count(pass)
		t.sum[i].skip += r.count(skip)
		t.sum[i].fail += r.failed()
	}
	n := tasks.totals
	t.totals.ran += n.Ran
	t.totals.refused += n.Refused
	t.totals.overflowed += n.Overflowed
	fmt.Fprintf(w, rowFormat, pkg,
		g.count(pass), g.count(skip), g.failed(), seconds(g.took),
		tasks.count(pass), tasks.count(skip), tasks.failed(), seconds(tasks.took),
		n.Ran, n.Refused, n.Overflowed, diffs)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f", d.Seconds()) }

// end prints the sums and the differences, and returns an error if one is not as
// expected.
func (t *table) end(w io.Writer, ran []string) error {
	a, b := t.sum[0], t.sum[1]
	fmt.Fprintf(w, rowFormat, "all", a.pass, a.skip, a.fail, "", b.pass, b.skip, b.fail, "",
		t.totals.ran, t.totals.refused, t.totals.overflowed, len(t.explained)+len(t.surprises))
	if len(t.explained) > 0 {
		fmt.Fprintln(w, "\nDifferences, and their causes:")
	}
	for _, e := range t.explained {
		fmt.Fprintf(w, "  %s\n      %s\n", e.difference, e.reason)
	}
	if len(t.once) > 0 {
		fmt.Fprintln(w, "\nIn one of two runs only:")
	}
	for _, d := range t.once {
		fmt.Fprintf(w, "  %s\n", d)
	}
	left := unused(t.known, ran, t.mode, t.version)
	for _, d := range t.surprises {
		fmt.Fprintf(w, "\nunexpected: %s\n", d)
	}
	for _, k := range left {
		fmt.Fprintf(w, "\nknown.txt:%d: %s %s is the same on tasks\n", k.line, k.pkg, k.test)
	}
	if len(t.surprises) > 0 || len(left) > 0 {
		return errDiffers
	}
	return nil
}

func (d difference) String() string {
	return fmt.Sprintf("%s %s: %s on goroutines, %s on tasks", d.pkg, d.test, d.goroutines, d.tasks)
}
