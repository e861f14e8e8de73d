package ctx_test

import (
	"errors"
	"fmt"
	"runtime"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/guard"
	"github.com/stackhop/stackhop/mmapstack"
)

// A size is a bound: a recursion without an end ends its task, and nothing else.
func ExampleWithStackSize() {
	if stackhop.Backend().Name == "portable" {
		fmt.Println("a deferred call runs\noverflow: true") // its stacks are the runtime's
		return
	}
	var endless func(int) int
	endless = func(n int) int { return endless(n+1) + n }
	task, err := ctx.Spawn(func(*ctx.Task) {
		defer fmt.Println("a deferred call runs")
		endless(0)
	}, ctx.WithStackSize(64<<10))
	if err != nil {
		panic(err)
	}
	fmt.Println("overflow:", errors.Is(task.Err(), guard.ErrOverflow))
	// Output:
	// a deferred call runs
	// overflow: true
}

// Tasks that have ended leave coroutines for the next ones, which are goroutines.
func ExampleRetireIdle() {
	if stackhop.Backend().Name == "portable" {
		fmt.Println(0) // it keeps none
		return
	}
	if _, err := ctx.RetireIdle(); err != nil {
		panic(err)
	}
	before := runtime.NumGoroutine()
	for range 100 {
		task, err := ctx.Spawn(func(t *ctx.Task) { t.Yield() })
		if err != nil {
			panic(err)
		}
		if err := task.Resume(); err != nil {
			panic(err)
		}
	}
	if _, err := ctx.RetireIdle(); err != nil {
		panic(err)
	}
	fmt.Println(runtime.NumGoroutine() - before)
	// Output: 0
}

// A body of known depth. A size out of range is an error that names the range.
func ExampleWithStrictStack() {
	body := func(*ctx.Task) { fmt.Println("body") }
	task, err := ctx.Spawn(body, ctx.WithStrictStack(16<<10))
	if err != nil {
		panic(err)
	}
	fmt.Println("ended:", task.Done())
	_, err = ctx.Spawn(body, ctx.WithStrictStack(mmapstack.MaxSize+1))
	var refused *ctx.OptionError
	fmt.Println("refused:", errors.As(err, &refused))
	// Output:
	// body
	// ended: true
	// refused: true
}

// A program that would rather have a larger strict stack than one of the runtime
// where stacks cannot grow in place.
func ExampleWithoutFallback() {
	body := func(*ctx.Task) { fmt.Println("body") }
	task, err := ctx.Spawn(body, ctx.WithStackSize(64<<10), ctx.WithoutFallback())
	if refused := (*ctx.OptionError)(nil); errors.As(err, &refused) {
		task, err = ctx.Spawn(body, ctx.WithStrictStack(256<<10))
	}
	if err != nil {
		panic(err)
	}
	fmt.Println("ended:", task.Done())
	// Output:
	// body
	// ended: true
}

// After a burst of tasks, at most 64 MiB of idle coroutines stay.
func ExampleSetIdleLimit() {
	before := ctx.SetIdleLimit(64 << 20)
	fmt.Println(ctx.SetIdleLimit(before)>>20, "MiB were the bound")
	// Output: 64 MiB were the bound
}
