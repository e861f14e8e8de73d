package main

import (
	"encoding/json"
	"fmt"
	"io"
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

func bench(args []string, out io.Writer) error {
	fs := flags("bench", out)
	asJSON := fs.Bool("json", false, "print one JSON object")
	round := fs.Duration("round", 500*time.Microsecond, "time of one round of one measurement")
	rounds := fs.Int("rounds", 601, "rounds, of which the median counts")
	procs := fs.Int("procs", 1, "GOMAXPROCS: with 1, goroutines and channels do best; a program has as many as CPUs unless it says otherwise")
	count := fs.Int("tasks", 100_000, "suspended tasks, and parked goroutines, in each memory measurement")
	if err := parse(fs, args); err != nil {
		return err
	}
	c := clock{*round, *rounds, *procs}
	r := report{Host: thisHost(), Backend: stackhop.Backend(), Round: round.String(), Rounds: *rounds, Procs: *procs}
	for _, g := range groups {
		rows, err := measure(c, g.subjects())
		if err != nil {
			return err
		}
		r.Times = append(r.Times, group{g.title, rows})
	}
	var err error
	if r.Memory, err = footprints(*count); err != nil {
		return err
	}
	if *asJSON {
		return json.NewEncoder(out).Encode(r)
	}
	return r.print(out)
}

func depthSubjects() []subject {
	var s []subject
	for _, depth := range []int{1, 10, 100, 1000} {
		s = append(s, subject{fmt.Sprintf("leaf beneath %d frames", depth), leafResume(depth)})
	}
	return s
}
