package join_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/join"
	"github.com/stackhop/stackhop/resume"
)

// Two arms wait; whoever resumes them drives the join.
func ExampleAll() {
	var waiting []resume.Handle
	fetch := func(name string) func(*ctx.Task) error {
		return func(t *ctx.Task) error {
			fmt.Println(name, "asks")
			t.Suspend(func(h resume.Handle) { waiting = append(waiting, h) })
			fmt.Println(name, "has it")
			return nil
		}
	}
	_, _ = ctx.Spawn(func(*ctx.Task) {
		err := join.All(fetch("a"), fetch("b"))
		fmt.Println("both:", err)
	})
	fmt.Println("nobody has answered yet")
	for _, h := range waiting {
		_ = h.Resume()
	}
	// Output:
	// a asks
	// b asks
	// nobody has answered yet
	// a has it
	// b has it
	// both: <nil>
}

func ExampleSelect() {
	lines := make(chan string, 1)
	lines <- "hello"
	var line string
	won, err := join.Select(join.Recv(lines, &line), join.After(time.Minute))
	fmt.Println(won, err, line)
	// Output: 0 <nil> hello
}

// The first success wins. The arms' stacks are carved from the caller's, if that is a task.
func ExampleRace() {
	const small join.Size = 8 << 10
	won, err := small.Race(
		func(*ctx.Task) error { return errors.New("no route") },
		func(*ctx.Task) error { return nil })
	fmt.Println(won, err)
	// Output: 1 <nil>
}

// What a scope starts is over when Within returns: the first failure ends the rest.
func ExampleWithin() {
	errBroken := errors.New("broken")
	err := join.Within(func(s *join.Scope) error {
		s.Go(func(t *ctx.Task) error {
			defer fmt.Println("reader is over")
			t.Suspend(func(resume.Handle) {}) // for ever
			return nil
		})
		s.Go(func(*ctx.Task) error { return errBroken })
		return s.Wait()
	})
	fmt.Println(err)
	// Output:
	// reader is over
	// broken
}

func ExampleEach() {
	var squares [4]int
	err := join.Each(len(squares), func(_ *ctx.Task, i int) error {
		squares[i] = i * i
		return nil
	})
	fmt.Println(squares, err)
	// Output: [0 1 4 9] <nil>
}
