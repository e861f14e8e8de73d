package pull

import (
	"runtime"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/mmapstack"
)

// The states of a core. Each is one byte that both sides read and write; only
// one side runs at a time.
const (
	idle   uint8 = iota // nobody is in next: the consumer runs
	wanted              // next waits for a value: the iterator runs
	done                // ended, stopped, panicked or left by Goexit
	never               // no core is ever in this state
)

// A core is what does not depend on the type of the values. See the package's
// invariants.
type core struct {
	co         *stackhop.Coro
	state      uint8
	shape      uint8
	ok         bool // a value was given at some time and the end not yet seen
	seqDone    bool // seq returned
	goexited   bool // seq was left by runtime.Goexit
	panicValue any  // seq panicked, or kept its thread locked
	stack      *mmapstack.Stack
	pool       *mmapstack.Pool // nil: the stack is the caller's, or native
}

// returned marks that seq returned, and did not panic or Goexit.
func (e *core) returned() { e.ok, e.seqDone = false, true }

// catch is deferred around seq: what ended the iterator is kept for the owner.
func (e *core) catch(co *stackhop.Coro) {
	if v := recover(); v != nil {
		e.panicValue = v
	} else if !e.seqDone {
		e.goexited = true
	}
	// The consumer goes on on this thread: it is told that the iterator has locked it.
	if err := co.UnlockThread(); err != nil && e.panicValue == nil && !e.goexited {
		e.panicValue = err
	}
	e.state = done
}

// stop is the consumer's stop.
func (e *core) stop() {
	before := e.state
	if before == done {
		return
	}
	e.state = done
	if err := e.co.TrySwitch(); err != nil {
		e.state = before
		panic(err)
	}
	e.finish()
}

// finish is the owner's side of the end: it gives the stack back and passes on
// how the iterator ended.
func (e *core) finish() {
	if e.stack != nil && e.co.Done() {
		s, p := e.stack, e.pool
		e.stack, e.pool = nil, nil
		s.Leave()
		if p != nil {
			p.Put(s)
		}
	}
	if e.goexited {
		runtime.Goexit()
	}
	if v := e.panicValue; v != nil {
		panic(v)
	}
}

// refused is what next does when the switch did not happen.
//
//go:noinline
func (e *core) refused(err error) {
	e.state = idle
	panic(err)
}

// repeated is what next does when the iterator is not idle.
//
//go:noinline
func (e *core) repeated(what string) {
	if e.state != done {
		panic("pull." + what + ": next called again before yield")
	}
}

// early is what yield does when no value is wanted.
//
//go:noinline
func (e *core) early(what string) bool {
	if e.state != done {
		panic("pull." + what + ": yield called again before next")
	}
	return false
}

// stuck is what yield does when the switch did not happen: the iterator gets
// the error as a panic, and next gets it unless the iterator recovers.
//
//go:noinline
func (e *core) stuck(err error) bool {
	e.state = wanted
	panic(err)
}

// unreachable is the operand of a go statement that is never reached. The compiler
// inlines no function that has one (cmd/compile/internal/inline, Go 1.25 to
// 1.27), whatever a profile says.
func unreachable() {}
