package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

func (r report) print(out io.Writer) error {
	b := r.Backend
	fmt.Fprintf(out, "%s, %s/%s, %s, %d CPUs, %s, backend %s\n", b.GoVersion, b.GOOS, b.GOARCH, r.Host.CPU, r.Host.CPUs, r.Host.Kernel, b.Name)
	fmt.Fprintf(out, "times are medians of %d rounds of %s, taken in turns, GOMAXPROCS=%d", r.Rounds, r.Round, r.Procs)
	if r.Procs == 1 {
		fmt.Fprint(out, ": the best for channels")
	}
	fmt.Fprintln(out)
	for _, g := range r.Times {
		fmt.Fprintf(out, "\n%s\n", g.Title)
		if err := printTimes(out, g.Rows); err != nil {
			return err
		}
	}
	fmt.Fprintln(out, "\nMemory of each, after a collection, and its creation; each row in a process of its own")
	return printFootprints(out, r.Memory)
}

// yardsticks are the rows that users would otherwise have.
var yardsticks = []struct{ row, short string }{
	{rowIterPull, "iter.Pull"},
	{rowChannels, "channels"},
	{rowGo, "go+channel"},
	{rowIterElem, "iter.Pull"},
	{rowMutex, "sync.Mutex"},
	{rowGoChan, "a Go channel"},
	{rowGoChan16, "a Go channel"},
	{rowWait2, "goroutines"},
	{rowSkynet, "goroutines"},
	{rowBareSwitch, "without"},
	{rowBareSpawn, "without"},
	{rowCopied, "copying"},
}

// printTimes prints rows, each set beside the yardsticks among them.
func printTimes(out io.Writer, rows []timing) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "\tns\tallocs\t\t\n")
	for _, r := range rows {
		fmt.Fprintf(w, "   %-36s\t%.1f\t%.0f\t%s\t\n", r.Name, r.NS, r.Allocs, strings.Join(ratios(r, rows), ", "))
	}
	return w.Flush()
}

// ratios says which part of each yardstick's time r takes.
func ratios(r timing, rows []timing) []string {
	var all []string
	for _, y := range yardsticks {
		for _, row := range rows {
			if row.Name == y.row && row.Name != r.Name {
				all = append(all, part(r, row)+y.short)
			}
		}
	}
	return all
}

// printNarrow is printTimes in 80 columns: one yardstick a column.
func printNarrow(out io.Writer, rows []timing) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	var found []timing
	fmt.Fprint(w, "\tns\t")
	for _, y := range yardsticks {
		for _, r := range rows {
			if r.Name == y.row {
				found = append(found, r)
				fmt.Fprintf(w, "of %s\t", y.short)
			}
		}
	}
	fmt.Fprintln(w)
	for _, r := range rows {
		fmt.Fprintf(w, "   %-35s\t%.1f\t", r.Name, r.NS)
		for _, y := range found {
			fmt.Fprintf(w, "%s\t", strings.TrimSuffix(strings.TrimSpace(part(r, y)), " of"))
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}

// part says which part of y's time r takes, before the name of y.
func part(r, y timing) string {
	switch q := y.NS / r.NS; {
	case r.Name == y.Name:
		return ""
	case q >= 1.5:
		return fmt.Sprintf("1/%.1f of ", q)
	default:
		return fmt.Sprintf("%.1f × ", 1/q)
	}
}
