package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"time"
)

const day = 24 * time.Hour

// A town has people who go to the bank. There they wait for a teller, and
// every tenth for the key of the vault as well, while the teller waits with
// them.
type town struct {
	people int
	seed   uint64

	*sim
	tellers, key resource
	gone         int // people who were still there at the end
}

// run lets the town live for some days, with a report on each.
func (t *town) run(days int, report io.Writer) error {
	_, err := simulate(time.Duration(days)*day, func(s *sim) error {
		t.sim = s
		t.tellers = resource{sim: s, free: max(1, t.people/550)}
		t.key = resource{sim: s, free: max(1, t.people/25_000)}
		for p := range t.people {
			if err := s.start(func() { t.live(rand.New(rand.NewPCG(t.seed, uint64(p)))) }); err != nil {
				return err
			}
		}
		return s.start(func() { t.observe(report) })
	})
	return err
}

// live is a person's life. It has no end: that comes with the world's.
func (t *town) live(r *rand.Rand) {
	defer func() { t.gone++ }()
	for {
		t.wait(about(r, 2*day))
		t.visit(r)
	}
}

func (t *town) visit(r *rand.Rand) {
	if !t.tellers.acquire(about(r, 20*time.Minute)) {
		return
	}
	defer t.tellers.release()
	t.wait(about(r, 5*time.Minute))
	if r.IntN(10) == 0 && t.key.acquire(about(r, 10*time.Minute)) {
		defer t.key.release()
		t.wait(about(r, time.Minute))
	}
}

// about draws from the exponential distribution with that mean.
func about(r *rand.Rand, mean time.Duration) time.Duration {
	return time.Duration(r.ExpFloat64() * float64(mean)).Truncate(time.Second)
}

// observe is a process among the others.
func (t *town) observe(report io.Writer) {
	fmt.Fprintln(report, "day  visits  waiting now")
	for d := 1; ; d++ {
		t.wait(day)
		fmt.Fprintf(report, "%3d %7d %12d\n", d, t.tellers.served+t.tellers.left, t.tellers.standing)
	}
}

// summary tells what the queues have counted.
func (t *town) summary(w io.Writer) {
	for _, q := range []struct {
		name string
		stats
	}{{"tellers", t.tellers.stats}, {"key", t.key.stats}} {
		n := time.Duration(max(1, q.served+q.left))
		fmt.Fprintf(w, "%-8s served %6d, left %5d, mean wait %v, longest queue %d\n",
			q.name+":", q.served, q.left, (q.waited / n).Truncate(time.Second), q.longest)
	}
	fmt.Fprintf(w, "%d people, %d events in %v\n", t.gone, t.events, t.now)
}
