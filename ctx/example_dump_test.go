package ctx_test

import (
	"fmt"
	"strings"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
)

// A door is what a package of locks would have: tasks wait at it.
type door struct{ waiting resume.Handle }

// Enter suspends the current task until somebody opens the door.
func (d *door) Enter() { ctx.Suspend(func(h resume.Handle) { d.waiting = h }) }

func ExampleSnapshot() {
	var d door
	house, _ := ctx.Spawn(func(house *ctx.Task) {
		_, _ = ctx.Spawn(func(*ctx.Task) { d.Enter() }, ctx.WithName("guest"), ctx.WithParent(house))
		house.Yield()
	}, ctx.WithName("house"))

	for _, t := range ctx.Snapshot() {
		if t.Name == "house" || t.Name == "guest" {
			fmt.Printf("%s%s: %s", strings.Repeat("  ", t.Depth), t.Name, t.State)
			if t.Name == "guest" {
				fmt.Printf(" in %s", t.WaitsOn)
			}
			fmt.Println()
		}
	}

	_ = d.waiting.Resume()
	_ = house.Resume()
	fmt.Println(house.Done())
	// Output:
	// house: yielded
	//   guest: suspended in ctx_test.(*door).Enter
	// true
}
