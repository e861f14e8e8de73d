package resume_test

import (
	"fmt"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
)

// A gate lets those through who come after it was opened; others wait.
type gate struct {
	open    bool
	waiting []resume.Resumer
}

// Pass is the leaf: it runs on the task that waits.
func (g *gate) Pass() {
	if !g.open {
		ctx.Suspend(func(h resume.Handle) { g.waiting = append(g.waiting, h) })
	}
}

// Open is the other end: it continues the waiting tasks, here and now.
func (g *gate) Open() {
	g.open = true
	for _, r := range g.waiting {
		fmt.Println("resume:", r.Resume())
	}
}

func Example() {
	var g gate
	for _, name := range []string{"anna", "bert"} {
		ctx.Spawn(func(*ctx.Task) {
			fmt.Println(name, "comes")
			g.Pass()
			fmt.Println(name, "is through")
		})
	}
	g.Open()
	fmt.Println("again:", g.waiting[0].Resume())
	// Output:
	// anna comes
	// bert comes
	// anna is through
	// resume: <nil>
	// bert is through
	// resume: <nil>
	// again: resume: stale handle
}
