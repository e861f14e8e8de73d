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

	Switch []timing    `json:"switch"` // into a body and back
	Spawn  []timing    `json:"spawn"`  // start, run to the end, free
	Pull   []timing    `json:"pull"`   // one element
	Depth  []timing    `json:"depth"`  // a leaf resumed beneath more and more frames
	Memory []footprint `json:"memory"` // each kind in a process of its own
}

func bench(args []string, out io.Writer) error {
	fs := flags("bench", out)
	asJSON := fs.Bool("json", false, "print one JSON object")
	round := fs.Duration("round", 500*time.Microsecond, "time of one round of one measurement")
	rounds := fs.Int("rounds", 601, "rounds, of which the median counts")
	count := fs.Int("tasks", 100_000, "suspended tasks, and parked goroutines, in each memory measurement")
	if err := parse(fs, args); err != nil {
		return err
	}
	c := clock{*round, *rounds}
	r := report{Host: thisHost(), Backend: stackhop.Backend(), Round: round.String(), Rounds: *rounds}
	for _, group := range []struct {
		rows     *[]timing
		subjects []subject
	}{
		{&r.Switch, switchSubjects()},
		{&r.Spawn, spawnSubjects()},
		{&r.Pull, pullSubjects()},
		{&r.Depth, depthSubjects()},
	} {
		var err error
		if *group.rows, err = measure(c, group.subjects); err != nil {
			return err
		}
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
