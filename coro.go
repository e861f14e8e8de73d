package stackhop

import "unsafe"

// A Coro is one coroutine: a goroutine of the Go runtime that is parked except
// while its body is switched to, on a stack that the caller chose.
//
// Two sides share it. The owner calls Switch and waits while the body runs;
// the body calls Switch and waits while the owner runs. Any goroutine on any
// thread may be the owner, a new one each time, but one at a time: two
// simultaneous calls are a data race, as with an unguarded variable, and end the
// process; a program built with -tags stackhopcheck finds them, see TrySwitch. What one
// side wrote before a switch the other side sees after it.
//
// After the end of the body, Switch panics and TrySwitch returns ErrDone.
type Coro struct {
	// Read and written by switch_*.s.
	gp        uintptr        // parks whichever side is not running; the first field of what is a runtime.coro, see own
	link      unsafe.Pointer // the one that newcoro made, in the place of its f, which is called once; or see port
	mp        uintptr        // what thread locks the runtime is to find, see alignThread
	lockedExt uint32
	lockedInt uint32 // the last field of that

	in   uintptr // g of the body while an owner may enter it by the fast path, else notEnterable
	g    uintptr // g of the body, notEnterable once its goroutine ended
	lo   uintptr // the running window of g.stack; lo and hi stand in the order of g.stack
	hi   uintptr
	edge uintptr // upper end of the parked window, edgeDepth below the memory's; 0 while on a stack of the runtime
	spIn uintptr // where the body parked, a guess at its g.sched.sp. At first code: see make
	//lint:ignore U1000 the assembly's
	spOut uintptr // where its owner parked, likewise

	body     func(*Coro)
	local    any
	region   packedRegion
	entryExt uint32 // thread locks the owner held at the last slow entry
	entryInt uint32
	state    coroState
	grows    uint8 // 1: the growth trap serves this stack
	oneShot  bool
	roams    bool // made by NewRoaming: region is the running body's
	goexited bool // the last body was ended by runtime.Goexit
	left     bool // mainLoop is entered again, after a Goexit was left
	fresh    bool // the goroutine has not run yet
	running  bool // a body has started and not ended
}

type coroState uint8

const (
	stateIdle   coroState = iota // no body: made without one, or done
	stateReady                   // has a body that has not ended
	stateClosed                  // goroutine gone
)

// notEnterable is no address of a g and differs from a nil g.
const notEnterable = 1

// New makes a coroutine on the memory r. The zero Region asks for a stack that
// the Go runtime owns and grows; the portable backend always uses one, and
// only checks r.
//
// body starts at the first Switch and gets the coroutine itself. When it
// returns, its goroutine ends, and r is free once that Switch has returned.
// With a nil body the coroutine is born done: Reset gives it bodies, one after
// another, on the same stack and goroutine, and Close ends it.
//
// A panic that body does not recover ends the process, as in any goroutine.
// runtime.Goexit ends the body only.
//
// The errors are a *RegionError; an *UnmappedError, see Mapped; and, for a region that
// grows on a backend that can grow stacks, ErrGrowthOff. A coroutine that is never run to its end keeps
// its goroutine and its Region for ever.
func New(r Region, body func(c *Coro)) (*Coro, error) {
	c := new(Coro)
	if err := c.Init(r, body); err != nil {
		return nil, err
	}
	return c, nil
}

// Init is New for a zero Coro that lies in a struct of its user's, which must be on
// the heap, and not be copied.
func (c *Coro) Init(r Region, body func(c *Coro)) error {
	if r != (Region{}) {
		_ = backend() // which says unmapped
		if err := r.usable(); err != nil {
			return err
		}
	}
	c.region.set(&r)
	c.body, c.oneShot = body, body != nil
	c.in, c.g = notEnterable, notEnterable
	c.make()
	if body != nil {
		c.arm()
	}
	return nil
}

// Done reports whether there is nothing to switch to: the body has ended, or
// none was given yet. It is the owner's to call, or the body's own.
func (c *Coro) Done() bool { return c.state != stateReady }

// Closed reports whether the coroutine has ended for good: after Close, after the end
// of the body that New was given, or when a body has ended its thread, see EndsThread.
func (c *Coro) Closed() bool { return c.state == stateClosed }

// Goexited reports whether the last body was ended by runtime.Goexit.
func (c *Coro) Goexited() bool { return c.goexited }

// Reset gives a done coroutine that was made without a body the next one.
// Errors: ErrNilBody, ErrNotDone, ErrClosed. It allocates nothing.
func (c *Coro) Reset(body func(c *Coro)) error {
	switch {
	case body == nil:
		return ErrNilBody
	case c.state == stateReady:
		return ErrNotDone
	case c.state == stateClosed:
		return ErrClosed
	case c.roams && c.region.none():
		return &RegionError{Region{}, "a roaming coroutine needs one for each body: use ResetOn"}
	}
	c.body = body
	c.arm()
	return nil
}

// Close ends the goroutine of a coroutine that is done or was never switched
// to; then its Region is free. Closing twice is harmless. Errors: ErrNotDone;
// ErrBubble outside the bubble it was made in, and it stays open then.
func (c *Coro) Close() error {
	switch {
	case c.state == stateClosed:
		return nil
	case c.running:
		return ErrNotDone
	}
	if err := c.end(); err != nil {
		return err
	}
	c.state = stateClosed
	return nil
}

// SetLocal keeps one value with the coroutine, for a library on top to find
// from Current. Local returns it. Neither is safe for concurrent use.
func (c *Coro) SetLocal(v any) { c.local = v }

// Local returns what SetLocal kept, or nil.
func (c *Coro) Local() any { return c.local }

// Region returns the memory that c was made on, or that its body runs on; zero
// for a stack that the runtime owns. It is the owner's to call, or the body's.
func (c *Coro) Region() Region { return c.region.unpacked() }
