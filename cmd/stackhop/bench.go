package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/stackhop/stackhop"
)

// A report is what bench finds out. -json prints it as one object.
type report struct {
	Host    host          `json:"host"`
	Backend stackhop.Info `json:"backend"`
	Round   string        `json:"round"`
	Rounds  int           `json:"rounds"`
	Procs   int           `json:"procs"` // GOMAXPROCS

	Times  []group     `json:"times"`
	Memory []footprint `json:"memory"` // each kind in a process of its own
}

// A group is what is measured in turns, and compared.
type group struct {
	Title string   `json:"title"`
	Rows  []timing `json:"rows"`
}

var groups = []struct {
	title    string
	subjects func() []subject
}{
	{"One round trip: into a body and back", switchSubjects},
	{"Start, run to the end, free", spawnSubjects},
	{"Iterate", pullSubjects},
	{"A leaf and its resumer, there and back, beneath more frames", depthSubjects},
	{"From task to task, and a plain round trip", transferSubjects},
	{"Give a lock to one who waits, and take another one back", lockSubjects},
	{"A channel", chanSubjects},
	{"A channel with a buffer", bufferSubjects},
	{"Start two that end at once, and wait for them", joinSubjects},
	{"Skynet: each starts ten, 1,111 in all, and sums up their answers", skynetSubjects},
	{"What a guard costs a round trip", guardedSwitchSubjects},
	{"What a guard costs a start, run to the end, free", guardedSpawnSubjects},
	{"Use 100 KiB of stack, and end", growthSubjects},
}

func bench(args []string, out, errOut io.Writer) error {
	fs := flags("bench", out)
	asJSON := fs.Bool("json", false, "print one JSON object")
	c := clockFlags(fs)
	fs.IntVar(&c.procs, "procs", 1, fmt.Sprintf("GOMAXPROCS, 1 to %d: with 1, goroutines and channels do best; a program has as many as processors unless it says otherwise", runtime.NumCPU()))
	count := fs.Int("tasks", 100_000, fmt.Sprintf("`number` of suspended tasks, and of parked goroutines, in each memory measurement, 1 to %d", mostTasks))
	if err := parse(fs, args); err != nil {
		return err
	}
	if err := errors.Join(c.check(), within("tasks", *count, 1, mostTasks, "")); err != nil {
		return err
	}
	r := report{Host: thisHost(), Backend: stackhop.Backend(), Round: c.round.String(), Rounds: c.rounds, Procs: c.procs}
	if err := r.measure(*c, *count, errOut); err != nil {
		return err
	}
	if *asJSON {
		return json.NewEncoder(out).Encode(r)
	}
	return r.print(out)
}

// measure fills in the tables.
func (r *report) measure(c clock, count int, errOut io.Writer) (err error) {
	subjects := make([][]subject, len(groups))
	var total time.Duration
	for i, g := range groups {
		subjects[i] = g.subjects()
		total += c.expected(len(subjects[i]))
	}
	p := newProgress(errOut, total+expectedMemory(count))
	defer p.end()
	var done time.Duration
	for i, g := range groups {
		p.part(g.title, done)
		rows, err := measure(c, subjects[i])
		if err != nil {
			return err
		}
		r.Times = append(r.Times, group{g.title, rows})
		done += c.expected(len(subjects[i]))
	}
	p.part("Memory", done)
	r.Memory, err = footprints(count)
	return err
}

func depthSubjects() []subject {
	var s []subject
	for _, depth := range []int{1, 10, 100, 1000} {
		s = append(s, subject{fmt.Sprintf("leaf beneath %d frames", depth), leafResume(depth)})
	}
	return s
}
