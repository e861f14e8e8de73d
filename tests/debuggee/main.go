// Command debuggee calls stop on a goroutine, on a task with a stack that grows and
// on one with a strict stack, for a debugger that has a breakpoint there.
package main

import (
	"fmt"
	"os"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/guard"
)

//go:noinline
func stop(n int) int { return n + 1 }

func main() {
	done := make(chan int)
	go func() { done <- stop(0) }()
	<-done
	for _, policy := range []guard.Policy{guard.Growing, guard.Strict} {
		if err := onTask(policy); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func onTask(policy guard.Policy) error {
	pool, err := guard.NewPool(policy, 0)
	if err != nil {
		return err
	}
	n := 0
	task, err := ctx.Spawn(func(*ctx.Task) { n = stop(1) }, ctx.WithPool(pool))
	if err != nil {
		return err
	}
	if err := task.Err(); err != nil {
		return err
	}
	if n != 2 {
		return fmt.Errorf("stop(1) returned %d, want 2", n)
	}
	return nil
}
