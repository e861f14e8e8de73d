package main

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"time"
)

// A subject is one thing to time. Its start prepares it and returns step, which
// does the thing n times, and stop, which takes everything down again.
type subject struct {
	name  string
	start func() (step func(n int), stop func() error, err error)
}

// errNotHere is the error of a start where this machine does not have the subject.
var errNotHere = errors.New("not on this machine")

// A timing is what measure found out about one subject.
type timing struct {
	Name   string  `json:"name"`
	NS     float64 `json:"ns"`
	Allocs float64 `json:"allocs"`
}

// A clock says how long and how often to measure.
type clock struct {
	round  time.Duration // one round of one subject takes about this long
	rounds int           // the median of so many counts
	procs  int           // GOMAXPROCS meanwhile
}

// expected estimates how long n subjects take.
func (c clock) expected(n int) time.Duration {
	return time.Duration(n) * time.Duration(c.rounds+calibrationRounds) * c.round
}

// calibrationRounds is about what calibrate takes, in rounds.
const calibrationRounds = 3

// measure times the subjects in turns, round by round, so that a change of the
// machine's speed meets all of them. Many short rounds are better than few long
// ones: whatever else runs on the machine hits some of them, not the median.
//
// With one P channels never wait for another thread to wake up, which is the best
// that they can do.
func measure(c clock, subjects []subject) (rows []timing, err error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(c.procs))
	var (
		names []string
		steps []func(int)
	)
	for _, s := range subjects {
		step, stop, startErr := s.start()
		if errors.Is(startErr, errNotHere) {
			continue
		}
		if startErr != nil {
			return nil, fmt.Errorf("%s: %w", s.name, startErr)
		}
		defer func() {
			if stopErr := stop(); stopErr != nil && err == nil {
				rows, err = nil, fmt.Errorf("%s: %w", s.name, stopErr)
			}
		}()
		names, steps = append(names, s.name), append(steps, step)
	}
	ns := make([][]float64, len(steps))
	n := make([]int, len(steps))
	for i, step := range steps {
		n[i] = calibrate(step, c.round)
	}
	for range c.rounds {
		for i, step := range steps {
			begin := time.Now()
			step(n[i])
			ns[i] = append(ns[i], float64(time.Since(begin).Nanoseconds())/float64(n[i]))
		}
	}
	for i, name := range names {
		slices.Sort(ns[i])
		rows = append(rows, timing{name, ns[i][len(ns[i])/2], allocs(steps[i], n[i])})
	}
	return rows, nil
}

// calibrate returns how many times step fits in about d, at least once. The
// best of three counts: a round must not grow long because something else ran.
func calibrate(step func(int), d time.Duration) int {
	for n := 1; ; n *= 2 {
		took := time.Duration(math.MaxInt64)
		for range 3 {
			begin := time.Now()
			step(n)
			took = min(took, time.Since(begin))
		}
		if took >= d/4 || n >= 1<<40 {
			return max(1, int(float64(n)*float64(d)/float64(max(took, 1))))
		}
	}
}

// allocs returns how many Go heap objects one of n steps allocates, without what
// the runtime itself allocates now and then.
func allocs(step func(int), n int) float64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	step(n)
	runtime.ReadMemStats(&after)
	return float64((after.Mallocs - before.Mallocs) / uint64(n))
}
