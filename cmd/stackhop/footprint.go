package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"text/tabwriter"
)

// A footprint is what many suspended things cost a process.
type footprint struct {
	Kind     string `json:"kind"`
	Count    int    `json:"count"`
	HeapGoal uint64 `json:"heap_goal"`         // next collection starts before this size
	Live     uint64 `json:"live"`              // what the last collection found alive
	Resident int64  `json:"resident"`          // bytes each, -1 where unknown
	Missing  string `json:"missing,omitempty"` // why there are no figures
}

// footprints measures every kind in a process of its own.
func footprints(count int) ([]footprint, error) {
	if count < 1 {
		return nil, &usageError{fmt.Errorf("need at least one task, have %d", count)}
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var all []footprint
	for _, k := range kinds() {
		fp := footprint{Kind: k.name, Count: count}
		if err := ask(&fp, self, childCommand, k.flag, strconv.Itoa(count)); err != nil {
			fp.Missing = err.Error()
		}
		all = append(all, fp)
	}
	return all, nil
}

// ask runs a program and decodes what it prints into fp.
func ask(fp *footprint, name string, args ...string) error {
	var stderr bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stderr = &stderr
	answer, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%w %s", err, firstLine(stderr.Bytes()))
	}
	return json.Unmarshal(answer, fp)
}

func firstLine(b []byte) []byte {
	line, _, _ := bytes.Cut(b, []byte("\n"))
	return line
}

func printFootprints(out io.Writer, rows []footprint) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "\tcount\theap goal MiB\tlive MiB\tresident KiB each\t\n")
	for _, r := range rows {
		if r.Missing != "" {
			fmt.Fprintf(w, "   %-37s\t%d\t%s\t\n", r.Kind, r.Count, r.Missing)
			continue
		}
		fmt.Fprintf(w, "   %-37s\t%d\t%.1f\t%.1f\t%s\t\n", r.Kind, r.Count,
			float64(r.HeapGoal)/(1<<20), float64(r.Live)/(1<<20), perEach(r.Resident))
	}
	return w.Flush()
}

func perEach(bytes int64) string {
	if bytes < 0 {
		return "unknown"
	}
	return fmt.Sprintf("%.2f", float64(bytes)/1024)
}
