// Command debuggee calls stop on a goroutine, on a task with a stack that grows and
// on one with a strict stack, for a debugger that has a breakpoint there.
package main

import (
	"fmt"
	"os"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/guard"
)

var stopped int // the last stop's result

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
	task, err := ctx.Spawn(func(t *ctx.Task) { stopped = stop(1) }, ctx.WithPool(pool))
	if err != nil {
		return err
	}
	return task.Err()
}
