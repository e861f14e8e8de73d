package ctx_test

import (
	"fmt"

	"github.com/stackhop/stackhop/ctx"
)

// lose starts a task that waits at a door which nobody has.
func lose() {
	_, _ = ctx.Spawn(func(*ctx.Task) { new(door).Enter() }, ctx.WithName("lost"))
}

func ExampleLeaks() {
	lose()
	kept, _ := ctx.Spawn(func(kept *ctx.Task) { kept.Yield() }, ctx.WithName("kept"))

	leaks, err := ctx.Leaks()
	for _, t := range leaks {
		if t.Name == "lost" || t.Name == "kept" {
			fmt.Println(t.Name, t.State, "in", t.WaitsOn, err)
		}
	}

	fmt.Println(kept.Resume())
	// Output:
	// lost suspended in ctx_test.(*door).Enter <nil>
	// <nil>
}
