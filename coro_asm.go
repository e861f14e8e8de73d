//go:build linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28

package stackhop

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"unsafe"

	"github.com/stackhop/stackhop/internal/nilpanic"
)

// Addresses and constants of this process, written once by decide, before the
// first coroutine is made. The assembly reads the first four.
var (
	//lint:ignore U1000 the assembly reads it
	traceFlag = &never // trace.enabled
	//lint:ignore U1000 likewise
	profileFlag = &never // goroutineProfile.active
	//lint:ignore U1000 likewise
	saveG uintptr // runtime.save_g on arm64, else 0
	//lint:ignore U1000 likewise
	mainLoopPC uintptr // (*Coro).mainLoop as Go code calls it
	//lint:ignore U1000 likewise
	startPC    uintptr // (*Coro).start, likewise
	stackGuard uintptr // bytes between g.stack.lo and g.stackguard0
	never      uint8   // what the flags are before decide: a byte that is 0

	newcoro    func(func(unsafe.Pointer)) unsafe.Pointer
	coroswitch func(unsafe.Pointer)
)

const (
	// spill is how much of the header, at its begin, is the base frame's: where those
	// whom it calls may spill their arguments.
	spill = 16

	edgeDepth = RegionHeader - spill
)

// A refusal is why a switch did not happen: one word for the assembly.
type refusal struct{ err error }

//go:noescape
func switchCoro(c *Coro)

//go:noescape
func trySwitchCoro(c *Coro) *refusal

//go:noescape
func transferCoro(c, to *Coro) *refusal

//go:noescape
func lockWindow(c *Coro) bool

//go:noescape
func dropFrames(c *Coro) bool

func rehome(c *Coro)
func leaveGoexit()
func startCoroPC() uintptr
func regionCoro() uintptr
func poke64(addr, v uintptr)
func poke32(addr uintptr, v uint32)
func poke8(addr uintptr, v uint8)
func inheritModes(to uintptr) (from uintptr)

// decide discovers what the asm backend needs, or says why it cannot serve.
func decide() decision {
	f, err := discover()
	if err != nil {
		return decision{name: portableName, reason: err.Error()}
	}
	// SAFETY(K2): discover checked that these are the flags and the entries of the
	// functions named; a func value is a pointer to a pointer to code. That of a
	// method expression has nothing else.
	traceFlag, profileFlag = flagAt(f.traceEnabled), flagAt(f.profileActive)
	stackGuard, saveG = f.stackGuard, f.saveG
	corostartPC = f.corostart
	main, start := (*Coro).mainLoop, (*Coro).start
	mainLoopPC, startPC = **(**uintptr)(unsafe.Pointer(&main)), **(**uintptr)(unsafe.Pointer(&start))
	nc, cs := &f.newcoro, &f.coroswitch
	newcoro = *(*func(func(unsafe.Pointer)) unsafe.Pointer)(unsafe.Pointer(&nc))
	coroswitch = *(*func(unsafe.Pointer))(unsafe.Pointer(&cs))
	d := decision{name: asmName, reason: "release, target and build are known, and every discovered fact passed its check", facts: f.facts}
	if f.cgocheck2 {
		d.unmapped = &UnmappedError{"GOEXPERIMENT=cgocheck2 forbids pointers in memory that the Go runtime does not own"}
		d.reason += "; only on stacks of the runtime, since " + d.unmapped.Why
	}
	return d
}

// Switch runs the other side: the owner switches into the body, the body back
// to its owner. It returns when the other side switches back or, for the
// owner, when the body has ended. It panics with the error that TrySwitch
// would have returned.
func (c *Coro) Switch() {
	_ = c.state // a nil c panics here; the assembly may not fault
	if checked {
		c.mustSwitch()
		return
	}
	switchCoro(c)
}

// TrySwitch is Switch for a caller that wants to go on after a refusal. Errors:
// ErrDone, ErrRunning, ErrBubble, and for the body a *ThreadLockError. After
// an error no side has run.
//
// Two goroutines that call it at the same time for one coroutine are a mistake that
// ends the process, by a memory fault or worse. In a program built with
// -tags stackhopcheck one of them gets ErrRunning.
func (c *Coro) TrySwitch() error {
	_ = c.state
	if checked {
		return c.claimed(c.trySwitch)
	}
	if r := trySwitchCoro(c); r != nil {
		return r.err
	}
	return nil
}

// Transfer parks the body of c, which must be the caller, and runs the body of
// to, which must be parked or fresh. c's owner becomes to's owner; c continues
// when somebody switches to it. Errors: ErrNotCurrent, and those of TrySwitch.
func (c *Coro) Transfer(to *Coro) error {
	_, _ = c.state, to.state
	if checked {
		return c.passed(to, func() error { return c.transfer(to) })
	}
	if r := transferCoro(c, to); r != nil {
		return r.err
	}
	return nil
}

// trySwitch is TrySwitch without a claim.
func (c *Coro) trySwitch() error {
	if r := trySwitchCoro(c); r != nil {
		return r.err
	}
	return nil
}

// transfer is Transfer without a claim.
func (c *Coro) transfer(to *Coro) error {
	if r := transferCoro(c, to); r != nil {
		return r.err
	}
	return nil
}

// make makes the coroutine's goroutine, or its portable twin.
func (c *Coro) make() {
	if backend().name != asmName {
		c.link = newPortable()
		return
	}
	c.spIn = startCoroPC()
	closure := &c.spIn
	// SAFETY(K2): a func value is a pointer to a pointer to code, which finds c by the
	// address of that. It keeps c.
	c.link = newcoro(*(*func(unsafe.Pointer))(unsafe.Pointer(&closure)))
	c.g = peek64(uintptr(c.link) + coroGp)
	c.gp = c.g
	c.fresh = true
}

// arm lets owners enter the body that was just given. A fresh goroutine is
// entered on the slow path, by the runtime's own switch, which sets the context
// register that its first instruction wants.
func (c *Coro) arm() {
	c.state, c.goexited = stateReady, false
	if !c.fresh {
		c.letIn()
	}
}

// letIn lets owners enter by the fast path, which looks at the owner's bubble
// only: a body in a bubble is entered by the slow one, which compares.
func (c *Coro) letIn() {
	if c.port() == nil && peek64(c.g+gBubble) == 0 {
		c.in = c.g
	}
}

// start is the coroutine's function, called by runtime.corostart on the native
// stack. What this frame holds the frames on the region hold too: the collector
// does not see this stack while they run.
//
// It has one argument in a register, as the function has that corostart believes to
// call: that one's frame has room to spill no more.
func (c *Coro) start() {
	defer c.exit() // also after a Goexit on a native stack
	for !c.region.none() {
		c.edge = c.region.end() - edgeDepth
		c.setWindow(c.region.firstWindow())
		rehome(c)
		c.edge = 0
		if c.state == stateClosed {
			return
		}
		if c.state != stateReady { // else the body before was dropped, and this is the next one's first entry
			c.Switch() // roaming, idle, on no region: ResetOn or Close comes next
		}
	}
	if !c.roams {
		nativeBase(c)
	}
}

// exit makes the coroutine ready for runtime.coroexit, which follows, on the coro that
// the runtime knows.
func (c *Coro) exit() {
	c.in, c.g = notEnterable, notEnterable
	if c.EndsThread() {
		c.leaveOwner()
	}
	c.alignThread()
	link := uintptr(c.link)
	poke64(link+coroGp, c.gp)
	poke64(link+coroMp, c.mp)
	poke32(link+coroLockedExt, c.lockedExt)
	poke32(link+coroLockedInt, c.lockedInt)
}

// own is a coro within c, on which all switches are but the last. Each writes to it; and
// the runtime's, of 32 bytes, would share a cache line with one that another thread
// switches on. SAFETY(K1): coroswitch looks at no other field (F33).
func (c *Coro) own() unsafe.Pointer { return unsafe.Pointer(&c.gp) }

// These must lie in Coro as in runtime.coro; else this does not compile.
const (
	_ = -(unsafe.Offsetof(Coro{}.gp) ^ coroGp)
	_ = -(unsafe.Offsetof(Coro{}.link) ^ coroF)
	_ = -(unsafe.Offsetof(Coro{}.mp) ^ coroMp)
	_ = -(unsafe.Offsetof(Coro{}.lockedExt) ^ coroLockedExt)
	_ = -(unsafe.Offsetof(Coro{}.lockedInt) ^ coroLockedInt)
)

// mainLoop runs bodies, at the base of the region or on the native stack. After
// a Goexit was left it starts over. The collector looks at the frames of every
// suspended body: so it is one, and what it defers captures nothing.
func (c *Coro) mainLoop() {
	defer unwound()
	for {
		if c.left {
			c.left = false
		} else if c.state == stateReady {
			c.running = true
			c.body(c)
			c.endThread() // a body that wants to know asks CheckThread before its end
			c.finish(false)
		}
		c.forget()
		poke8(c.g+gPaniconfault, 0) // debug.SetPanicOnFault is one body's, not the next's
		if c.state == stateClosed || c.roams {
			return
		}
		c.Switch() // idle: the owner's Switch returns, Reset or Close comes next
	}
}

// unwound ends the current coroutine's body, if it did not return; mainLoop defers it.
func unwound() {
	c := Current()
	if !c.running {
		return
	}
	v := recover()
	if v == nil {
		v = nilpanic.Value()
	}
	if v != nil {
		if c.edge == 0 {
			crash(v)
		}
		panic(v) // nothing defers above the base: the process ends
	}
	c.endThread()
	c.finish(true)
	c.left = true
	if c.edge != 0 {
		leaveGoexit()
	}
	leaveNative()
}

// crash ends the process for a panic that a body on a stack of the runtime did
// not recover. A panic there would run corostart's deferred coroexit, which hands
// over to the owner as if nothing had happened (coro.go, Go 1.25 to 1.27).
func crash(v any) {
	p := &bodyPanic{v, debug.Stack()}
	go func() { panic(p) }()
	select {}
}

// A bodyPanic prints as the panic it stands for.
type bodyPanic struct {
	value any
	stack []byte
}

func (p *bodyPanic) Error() string {
	return fmt.Sprintf("%v [in the body of a coroutine]\n\n%s", p.value, p.stack)
}

// end ends the goroutine of a coroutine that is idle or fresh.
func (c *Coro) end() error {
	if p := c.port(); p != nil {
		return p.end()
	}
	if c.g == notEnterable {
		return nil // ended already
	}
	in, state := c.in, c.state
	c.state = stateClosed // what mainLoop looks at
	if !c.fresh {
		c.letIn()
	}
	err := c.TrySwitch()
	if err != nil {
		c.in, c.state = in, state
	}
	return err
}

// InheritLabels gives the body the calling goroutine's profiler labels
// (runtime/pprof.SetGoroutineLabels), and with them what else a go statement would
// pass on: crypto/fips140.WithoutEnforcement, crypto/subtle.WithDataIndependentTiming.
// What earlier bodies on the same goroutine have left, debug.SetPanicOnFault among it,
// ends. It is the owner's to call, while the body does not run; of no effect after the
// end of the goroutine.
func (c *Coro) InheritLabels() {
	if c.port() == nil && c.g != notEnterable {
		copyLabels(c.g, inheritModes(c.g))
	}
}

// InBubble reports whether the caller is in a testing/synctest bubble.
func InBubble() bool {
	return currentBubble() != 0
}

// currentBubble identifies the caller's bubble, 0 if it is in none.
func currentBubble() uintptr {
	if !layoutKnown() {
		return 0
	}
	return peek64(getg() + gBubble)
}

var layoutKnown = sync.OnceValue(func() bool { return layoutFor(runtime.Version()) == nil })
