package guard

import (
	"math"
	"runtime"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/mmapstack"
)

const (
	// HopSize is the least size of an auxiliary stack, in bytes.
	HopSize = 256 << 10

	// HopReserve is what Grow leaves, below the bytes it is asked for, to the next
	// call of Grow. It must hold what makes a stack and a coroutine.
	HopReserve = 6 << 10
)

// Grow calls fn with at least need bytes of stack, and HopReserve more. Where
// the current coroutine's stack has them, or the runtime grows it, that is a plain
// call. Else fn runs on an auxiliary stack out of a pool that the package keeps,
// where it may do all that it could do here:
//
//   - It may suspend: whoever resumes the task continues fn. ctx.Current,
//     dumps and cancel.Here find the task.
//   - A panic of fn comes out of Grow with the same value.
//   - After runtime.Goexit in fn, and when the task is cancelled meanwhile, the
//     deferred calls of fn run and then those of the caller.
//   - It may call Grow.
//
// So a recursion of any depth ends neither in an overflow nor in a stack sized for
// the worst case, if each level of it calls the next through Grow, and needs
// at most need bytes itself.
//
// A recursion without end takes auxiliary stacks until memory is short: bound
// the depth of what comes from outside.
//
// On a bare coroutine, whose Local is no Host, fn suspends by stackhop.Current().Switch():
// the coroutine that it is called on is parked meanwhile.
//
// Errors: *mmapstack.SizeError if need is more than an auxiliary stack can have;
// those of NewPool, New and mmapstack.Pool.Get, and a *stackhop.ThreadLockError
// on a body that has locked its OS thread; fn was not called then. If fn itself
// locks it on an auxiliary stack and leaves it so, that is undone, and Grow returns a
// *stackhop.ThreadLockError after fn.
func Grow(need int, fn func()) error {
	if left := stackhop.StackLeft(); left-HopReserve >= need || left == math.MaxInt {
		fn()
		return nil
	}
	return hop(need, hide(fn), fn)
}

// A Host is the Local of a coroutine whose body can go on on another one: a task
// library's notion of the current task. Its methods are called by the body.
type Host interface {
	// Moved says that from now on the body runs on c, and on stack, and returns on
	// which it ran. Who resumes it must switch to c.
	Moved(c *stackhop.Coro, stack *mmapstack.Stack) (was *mmapstack.Stack)

	// Hopped calls fn, at the base of an auxiliary stack. depth is how many such the
	// body is on.
	Hopped(depth int, fn func())
}

// hop runs fn on an auxiliary stack. owned is fn as its owner has it: it stays
// on this frame until fn has returned (G1).
//
//go:noinline
func hop(need int, fn, owned func()) error {
	c := stackhop.Current()
	if err := c.CheckThread(); err != nil {
		return err
	}
	a, err := acquire(need, c)
	if err != nil {
		return err
	}
	err = a.visit(c, fn)
	runtime.KeepAlive(owned)
	end := a.end
	a.end = ending{}
	if end.goexited {
		_ = a.coro.TrySwitch() // it is parked in its last deferred call: no error
	}
	a.release()
	switch {
	case err != nil:
		return err
	case end.goexited:
		end.exit()
	case end.panicked:
		panic(end.value)
	}
	return end.err
}

// exit is runtime.Goexit, in which a deferred call panics if one of fn's did.
func (e *ending) exit() {
	defer func() {
		if e.panicked {
			panic(e.value)
		}
	}()
	runtime.Goexit()
}

// visit runs fn on a.
func (a *aux) visit(c *stackhop.Coro, fn func()) error {
	a.fn, a.caller, a.depth, a.secret = fn, c, 1, secretMode()
	a.host, _ = c.Local().(Host)
	a.coro.SetLocal(c.Local())
	a.coro.InheritLabels()
	if a.host == nil {
		return a.proxy(c)
	}
	a.from = a.host.Moved(a.coro, a.stack)
	if below, ok := a.from.Attached().(*aux); ok {
		a.depth = below.depth + 1
	}
	err := c.Transfer(a.coro)
	if err != nil {
		a.host.Moved(c, a.from)
	}
	return err
}

// proxy runs fn below a bare coroutine: a suspension of fn is one of c.
func (a *aux) proxy(c *stackhop.Coro) error {
	for {
		if err := a.coro.TrySwitch(); err != nil {
			return err
		}
		if a.end.there {
			return nil
		}
		c.Switch()
	}
}
