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
	"time"
)

// A footprint is what many suspended things cost a process.
type footprint struct {
	Kind       string  `json:"kind"`
	Count      int     `json:"count"`
	HeapGoal   uint64  `json:"heap_goal"`         // next collection starts before this size
	Live       uint64  `json:"live"`              // what the last collection found alive
	Resident   int64   `json:"resident"`          // bytes each, -1 where unknown
	PageTables int64   `json:"page_tables"`       // bytes each, -1 where unknown
	Create     float64 `json:"create_ns"`         // to make one and run it to its suspension, none being kept from before
	Missing    string  `json:"missing,omitempty"` // why there are no figures
}

// footprints measures every kind in a process of its own.
func footprints(count int) ([]footprint, error) {
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

// expectedMemory estimates how long footprints takes.
func expectedMemory(count int) time.Duration {
	return time.Duration(len(kinds())) * (200*time.Millisecond + time.Duration(count)*20*time.Microsecond)
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
	fmt.Fprint(w, "\tcount\theap goal MiB\tlive MiB\tresident KiB\tpage tables KiB\tcreation µs\t\n")
	for _, r := range rows {
		if r.Missing != "" {
			fmt.Fprintf(w, "   %-37s\t%d\t%s\t\n", r.Kind, r.Count, r.Missing)
			continue
		}
		fmt.Fprintf(w, "   %-37s\t%d\t%.1f\t%.1f\t%s\t%s\t%.1f\t\n", r.Kind, r.Count,
			float64(r.HeapGoal)/(1<<20), float64(r.Live)/(1<<20), perEach(r.Resident), perEach(r.PageTables), r.Create/1e3)
	}
	return w.Flush()
}

func perEach(bytes int64) string {
	if bytes < 0 {
		return "unknown"
	}
	return fmt.Sprintf("%.2f", float64(bytes)/1024)
}
