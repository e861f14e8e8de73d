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
	"github.com/stackhop/stackhop/guard"
	"github.com/stackhop/stackhop/join"
	"github.com/stackhop/stackhop/leaf"
	"github.com/stackhop/stackhop/mmapstack"
)

func demo(args []string, out, errOut io.Writer) error {
	fs := flags("demo", out)
	c := clockFlags(fs)
	if err := parse(fs, args); err != nil {
		return err
	}
	if err := c.check(); err != nil {
		return err
	}
	b := stackhop.Backend()
	fmt.Fprintln(out, wrap(fmt.Sprintf("backend %s: %s (%s %s/%s)", b.Name, b.Reason, b.GoVersion, b.GOOS, b.GOARCH), 2))
	n := 0
	title := func(text string) {
		n++
		fmt.Fprintf(out, "\n%s\n", wrap(fmt.Sprintf("%d. %s", n, text), 3))
	}
	for _, scene := range []struct {
		title string
		play  func(say func(format string, args ...any)) error
	}{
		{"Spawn runs the body at once, on the caller's thread, to its first suspension", eagerStart},
		{"A task suspends from anywhere: here from inside a sort.Slice comparator", insideSort},
		{"A leaf hands over directly: Unlock runs the waiter, no scheduler in between", handOver},
		{"A cancel runs every deferred call; no recover stops it", cancels},
		{"A panic ends its task, not the program", panics},
		{"A stack of a given size is mapped, and has a guard", mappedStack},
		{"A stack overflow ends its task too, where the growth trap can be had", overflows},
	} {
		title(scene.title)
		say := func(format string, args ...any) { fmt.Fprintln(out, wrap("   "+fmt.Sprintf(format, args...), 4)) }
		if err := scene.play(say); err != nil {
			return fmt.Errorf("demo: %s: %w", scene.title, err)
		}
	}
	title(fmt.Sprintf("What a switch costs: ns per round trip, there and back, median of %d rounds", c.rounds))
	subjects := switchSubjects()
	p := newProgress(errOut, c.expected(len(subjects)))
	p.part("What a switch costs", 0)
	rows, err := measure(*c, subjects)
	p.end()
	if err != nil {
		return err
	}
	return printNarrow(out, rows)
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
		l    leaf.Mutex
		lerr error
	)
	a, err := ctx.Spawn(func(t *ctx.Task) {
		lerr = l.Lock()
		say("A: has the lock")
		t.Yield()
		say("A: unlocks")
		l.Unlock()
		say("A: back from Unlock")
	}, ctx.WithName("A"))
	if err != nil {
		return err
	}
	b, err := ctx.Spawn(func(*ctx.Task) {
		say("B: wants the lock")
		lerr = errors.Join(lerr, l.Lock())
		say("B: has the lock, and runs inside A's Unlock")
		l.Unlock()
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

func cancels(say func(string, ...any)) error {
	var l leaf.Mutex
	if err := l.Lock(); err != nil {
		return err
	}
	t, err := ctx.Spawn(func(t *ctx.Task) {
		defer say("task: the outer deferred call runs")
		defer func() { say("task: the inner one recovers %v, and sees: %v", recover(), t.Err()) }()
		_, err := join.Any(
			func(*ctx.Task) error { defer say("task:   its arm leaves the lock's queue"); return l.Lock() },
			func(*ctx.Task) error { defer say("task:   its arm stops its timer"); return leaf.Sleep(time.Hour) },
		)
		say("never reached: %v", err)
	})
	if err != nil {
		return err
	}
	say("owner: the task waits for a lock or an hour; cancel it")
	if err := t.Cancel(errors.New("we close")); err != nil {
		return err
	}
	say("owner: done=%v, Err is a %T: %v", t.Done(), t.Err(), t.Err())
	l.Unlock()
	return nil
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

func mappedStack(say func(string, ...any)) error {
	t, err := ctx.Spawn(func(t *ctx.Task) {
		s := t.Stack()
		if s == nil {
			say("not here: this task runs on a stack of the runtime")
			return
		}
		kind, why := mmapstack.GuardKind()
		say("task: runs on a %v", s)
		say("task: below it lies a guard made by %s: %s", kind, why)
		deepen(20)
		say("task: %d of its %d bytes have been used so far", s.HighWater(), s.Size())
	}, ctx.WithStackSize(64<<10))
	if err != nil {
		return err
	}
	return t.Err()
}

func overflows(say func(string, ...any)) error {
	if stackhop.Backend().Name == "portable" {
		say("the portable backend's stacks are the runtime's: nothing to show")
		return nil
	}
	pool, err := guard.NewPool(guard.Growing, 256<<10)
	if errors.Is(err, guard.ErrTrap) {
		say("not here: %v", err)
		return nil
	} else if err != nil {
		return err
	}
	deepest := 0
	var down func(n int) int
	down = func(n int) int {
		deepest = n
		return down(n+1) + 1
	}
	t, err := ctx.Spawn(func(t *ctx.Task) {
		defer say("task: a deferred call runs")
		down(0)
	}, ctx.WithPool(pool), ctx.WithName("endless"))
	if err != nil {
		return err
	}
	var oe *guard.OverflowError
	if !errors.As(t.Err(), &oe) {
		return fmt.Errorf("task ended with %v, not with a *guard.OverflowError", t.Err())
	}
	say("owner: done=%v after %d calls: %v", t.Done(), deepest, oe)
	return pool.Close()
}
