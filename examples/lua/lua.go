package main

import (
	"errors"

	"github.com/stackhop/stackhop/ctx"
)

// A coroutine is one of Lua's. All of them belong to one goroutine.
type coroutine struct {
	task   *ctx.Task
	values []any  // on their way in or out
	status string // suspended, running, normal, dead
}

var current = &coroutine{status: "running"} // at first, the main program
var statusOf = map[bool]string{false: "suspended", true: "dead"}

func create(f func(args ...any) []any) *coroutine {
	co := &coroutine{status: "suspended"}
	body := func(*ctx.Task) { co.values = f(co.values...) }
	co.task, _ = ctx.New(body, ctx.WithNativeStack()) // no error: only mapped stacks run out
	return co
}

func (co *coroutine) resume(args ...any) ([]any, error) {
	if co.status != "suspended" {
		return nil, errors.New("cannot resume " + co.status + " coroutine")
	}
	caller := current
	caller.status, co.status, co.values, current = "normal", "running", args, co
	err := errors.Join(co.task.Resume(), co.task.Err())
	caller.status, co.status, current = "running", statusOf[co.task.Done()], caller
	return co.values, err
}

func yield(values ...any) []any {
	current.values = values
	current.task.Yield() // panics in the main program, which has no task
	return current.values
}

// close runs the deferred calls, and returns what f or one of them has panicked with.
func (co *coroutine) close() error {
	if co.status != "suspended" && co.status != "dead" {
		return errors.New("cannot close " + co.status + " coroutine")
	}
	err := co.task.Cancel(nil)
	co.status = statusOf[co.task.Done()]
	if bug := new(ctx.PanicError); errors.As(co.task.Err(), &bug) {
		err = bug
	}
	return err
}

func wrap(f func(args ...any) []any) func(args ...any) ([]any, error) { return create(f).resume }

func running() (co *coroutine, isMain bool) { return current, current.task == nil }
func isYieldable() bool                     { return current.task != nil }
