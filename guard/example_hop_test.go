package guard_test

import (
	"fmt"
	"strings"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/guard"
)

// nesting returns how deep the parentheses are that text begins with.
func nesting(text string) (depth int, err error) {
	if !strings.HasPrefix(text, "(") {
		return 0, nil
	}
	var inner error
	err = guard.Grow(1<<10, func() { depth, inner = nesting(text[1:]) })
	if err == nil {
		err = inner
	}
	return depth + 1, err
}

// A recursive descent as deep as its input has it, on a task's stack of 32 KiB.
func ExampleGrow() {
	var depth int
	_, err := ctx.Spawn(func(*ctx.Task) {
		depth, _ = nesting(strings.Repeat("(", 100_000))
	}, ctx.WithStackSize(32<<10))
	fmt.Println(depth, err)
	// Output: 100000 <nil>
}
