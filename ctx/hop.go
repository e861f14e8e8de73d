package ctx

import (
	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/mmapstack"
)

// Moved makes an identity a guard.Host: its task goes on on c.
func (id *identity) Moved(c *stackhop.Coro, stack *mmapstack.Stack) (was *mmapstack.Stack) {
	was, id.stack = id.stack, stack
	id.task.slot.Rehost(c)
	return was
}

// Hopped is the frame by which a dump finds whose an auxiliary stack is, and how
// many lie below.
//
//go:noinline
func (id *identity) Hopped(depth int, fn func()) {
	fn()
	if depth < 0 { // never: but both arguments are alive until here, or traces would not have them
		id.phase = rests
	}
}
