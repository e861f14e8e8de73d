// Simulation runs a town of 100,000 people, each of them a task with a life of
// its own, through some days of virtual time.
//
// A process of a discrete-event simulation waits in the midst of what it
// does: at home, in a queue, at a teller's desk with the key of the vault in
// its hand. As a coroutine it is written down as it happens, with loops, local
// variables and deferred calls, as in [town.visit]. Without one, each wait
// tears it into callbacks; as a goroutine, it pays for a scheduler and for
// locks, and no run is like the other.
//
// The simulation's own scheduler is [sim.run]: fifteen lines, with virtual time.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"
)

func main() {
	people := flag.Int("people", 100_000, "number of people")
	days := flag.Int("days", 10, "how long to simulate")
	seed := flag.Uint64("seed", 1, "runs with the same seed are the same")
	flag.Parse()

	t := town{people: *people, seed: *seed}
	start := time.Now()
	if err := t.run(*days, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	took := time.Since(start)
	t.summary(os.Stdout)
	fmt.Fprintf(os.Stderr, "%.0f events/s\n", float64(t.events)/took.Seconds())
}
