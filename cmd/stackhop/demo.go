package main

import (
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
	"time"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/ctx"
)

func demo(args []string, out io.Writer) error {
	fs := flags("demo", out)
	round := fs.Duration("round", 500*time.Microsecond, "time of one round of one measurement")
	rounds := fs.Int("rounds", 601, "rounds, of which the median counts")
	if err := parse(fs, args); err != nil {
		return err
	}
	b := stackhop.Backend()
	fmt.Fprintf(out, "backend %s: %s (%s %s/%s)\n", b.Name, b.Reason, b.GoVersion, b.GOOS, b.GOARCH)
	for i, scene := range []struct {
		title string
		play  func(say func(format string, args ...any)) error
	}{
		{"Spawn runs the body at once, on the caller's thread, to its first suspension", eagerStart},
		{"A task suspends from anywhere: here from inside a sort.Slice comparator", insideSort},
		{"A leaf hands over directly: Unlock runs the waiter, no scheduler in between", handOver},
		{"A panic ends its task, not the program", panics},
	} {
		fmt.Fprintf(out, "\n%d. %s\n", i+1, scene.title)
		say := func(format string, args ...any) { fmt.Fprintf(out, "   "+format+"\n", args...) }
		if err := scene.play(say); err != nil {
			return fmt.Errorf("demo: %s: %w", scene.title, err)
		}
	}
	fmt.Fprintf(out, "\n5. What a switch costs: ns per round trip, there and back, median of %d rounds\n", *rounds)
	rows, err := measure(clock{*round, *rounds}, switchSubjects())
	if err != nil {
		return err
	}
	return printTimes(out, rows)
}

func eagerStart(say func(string, ...any)) error {
	say("owner: before Spawn")
	t, err := ctx.Spawn(func(t *ctx.Task) {
		say("  task: first part, runs inside Spawn")
		t.Yield()
		say("  task: second part, runs inside Resume")
	})
	if err != nil {
		return err
	}
	say("owner: Spawn has returned, done=%v", t.Done())
	if err := t.Resume(); err != nil {
		return err
	}
	say("owner: Resume has returned, done=%v", t.Done())
	return nil
}

func insideSort(say func(string, ...any)) error {
	words := strings.Fields("the quick brown fox jumps over the lazy dog")
	var question string
	t, err := ctx.Spawn(func(t *ctx.Task) {
		sort.Slice(words, func(i, j int) bool {
			question = fmt.Sprintf("%s < %s?", words[i], words[j])
			t.Yield() // sort.Slice and its frames stay where they are
			return words[i] < words[j]
		})
	})
	if err != nil {
		return err
	}
	n := 0
	for ; !t.Done(); n++ {
		if n < 3 {
			say("owner: the comparator asks %s", question)
		}
		if err := t.Resume(); err != nil {
			return err
		}
	}
	say("owner: sorted after %d suspensions: %s", n, strings.Join(words, " "))
	return t.Err()
}

func handOver(say func(string, ...any)) error {
	var (
		l    lock
		lerr error
	)
	a, err := ctx.Spawn(func(t *ctx.Task) {
		l.Lock()
		say("A: has the lock")
		t.Yield()
		say("A: unlocks")
		lerr = l.Unlock()
		say("A: back from Unlock")
	}, ctx.WithName("A"))
	if err != nil {
		return err
	}
	b, err := ctx.Spawn(func(*ctx.Task) {
		say("B: wants the lock")
		l.Lock()
		say("B: has the lock, and runs inside A's Unlock")
		lerr = errors.Join(lerr, l.Unlock())
	}, ctx.WithName("B"))
	if err != nil {
		return err
	}
	if err := a.Resume(); err != nil {
		return err
	}
	say("owner: A done=%v, B done=%v", a.Done(), b.Done())
	return errors.Join(lerr, a.Err(), b.Err())
}

func panics(say func(string, ...any)) error {
	t, err := ctx.Spawn(func(t *ctx.Task) {
		defer say("task: a deferred call runs")
		panic("connection lost")
	})
	if err != nil {
		return err
	}
	var pe *ctx.PanicError
	if !errors.As(t.Err(), &pe) {
		return fmt.Errorf("task ended with %v, not with a *ctx.PanicError", t.Err())
	}
	first, _, _ := strings.Cut(pe.Error(), "\n")
	say("owner: done=%v, Err is a %T: %s", t.Done(), pe, first)
	return nil
}
