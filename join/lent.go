package join

import (
	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/mmapstack"
)

// lent is what the parent gives of its own stack to its arms. It is the
// parent's own.
type lent struct {
	stack  *mmapstack.Stack // nil: nothing
	coro   *stackhop.Coro
	carved []*mmapstack.Stack // in the order of their making
	idle   *mmapstack.Stack   // the last of them, while no arm is on it
	given  *mmapstack.Stack   // to the arm that is being started
}

// open looks whether the parent, which is the caller, has a stack to give of.
func (l *lent) open(parent *ctx.Task) {
	if parent == nil {
		return
	}
	if l.stack = parent.Stack(); l.stack != nil {
		l.coro = stackhop.Current()
	}
}

// get gives the arm that is to be started a stack of size bytes, or nil if there
// is no room for one.
func (l *lent) get(size int) *mmapstack.Stack {
	l.given = nil
	if size == 0 {
		return nil
	}
	if k := l.idle; k != nil && k.Size() >= size {
		l.idle, l.given = nil, k
		return k
	}
	if l.stack == nil || size < mmapstack.MinSize || size > mmapstack.MaxSize || l.coro.Room() < mmapstack.CarveSpace(size) {
		return nil
	}
	k, err := l.stack.CarveFor(l.coro, size)
	if err != nil {
		return nil // the pool serves
	}
	l.carved, l.given = append(l.carved, k), k
	return k
}

// close gives all back. No arm is on any of them.
func (l *lent) close() {
	for i := len(l.carved) - 1; i >= 0; i-- {
		if err := l.carved[i].Close(); err != nil {
			panic("BUG: join: a carved stack does not go back: " + err.Error())
		}
		l.carved[i] = nil
	}
	*l = lent{carved: l.carved[:0]}
}
