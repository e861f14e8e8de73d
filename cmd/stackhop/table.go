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
	fmt.Fprintln(out, "\nMemory, after a collection, each row in a process of its own")
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
			switch q := row.NS / r.NS; {
			case row.Name != y.row || row.Name == r.Name:
			case q >= 1.5:
				all = append(all, fmt.Sprintf("1/%.1f of %s", q, y.short))
			default:
				all = append(all, fmt.Sprintf("%.1f × %s", 1/q, y.short))
			}
		}
	}
	return all
}
