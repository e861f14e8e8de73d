package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/stackhop/stackhop/ctx"
)

// supervise is a behaviour: it starts children, and starts one again when it
// has panicked. One that panics more often than restarts is a failure of the
// supervisor, which panics in its turn; what is above decides then.
func supervise(restarts int, log io.Writer, children ...*actor) func(a *actor) {
	return func(a *actor) {
		left := map[*actor]int{}
		start := func(child *actor) {
			if err := child.start(); err != nil {
				panic(err)
			}
		}
		for _, child := range children {
			a.adopt(child)
			left[child] = restarts
			start(child)
		}
		for {
			d, ok := a.receive().(down)
			var bug *ctx.PanicError
			if !ok || !errors.As(d.err, &bug) {
				continue // it was no failure
			}
			if left[d.child] == 0 {
				d.child.close()
				panic(fmt.Errorf("too many failures: %w", d.err))
			}
			left[d.child]--
			fmt.Fprintf(log, "%s: restart after: %v\n", a.name, d.err)
			start(d.child)
		}
	}
}
