//go:build linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28

package stackhop

import "runtime"

// switchSlow is where switchCoro goes when it cannot serve: somebody may be
// looking, F is not plain, T is fresh, or the switch is refused. Always correct:
// the runtime's own coroswitch does the work.
//
//lint:ignore U1000 the assembly jumps here
func switchSlow(c *Coro) {
	if err := c.slow(); err != nil {
		panic(err)
	}
}

// trySwitchSlow is trySwitchCoro's slow path.
//
//lint:ignore U1000 the assembly jumps here
func trySwitchSlow(c *Coro) *refusal {
	if err := c.slow(); err != nil {
		return &refusal{err}
	}
	return nil
}

func (c *Coro) slow() error {
	if p := c.port(); p != nil {
		return p.trySwitch(c)
	}
	self := getg()
	if self == c.g {
		return c.slowLeave()
	}
	return c.slowEnter(self)
}

// slowEnter is an owner's side.
func (c *Coro) slowEnter(self uintptr) error {
	if err := c.enterable(self); err != nil {
		return err
	}
	c.entryExt, c.entryInt = threadLocks(self)
	c.open()
	c.alignThread()
	coroswitch(c.own())
	return nil
}

// slowLeave is the body's side. Its owner is in its bubble, or it would not have
// entered. The window stays wide: the runtime's switch may
// be preempted on its way, and the scheduler derives stackguard0 from the
// window. It costs scan work until the next switch.
func (c *Coro) slowLeave() error {
	if err := c.CheckThread(); err != nil {
		return err
	}
	c.entryExt, c.entryInt = 0, 0
	c.alignThread()
	coroswitch(c.own())
	return nil
}

// transferSlow is transferCoro's slow path.
//
//lint:ignore U1000 the assembly jumps here
func transferSlow(c, to *Coro) *refusal {
	if err := c.slowTransfer(to); err != nil {
		return &refusal{err}
	}
	return nil
}

func (c *Coro) slowTransfer(to *Coro) error {
	if p := c.port(); p != nil {
		return p.transfer(c, to)
	}
	self := getg()
	if self != c.g {
		return ErrNotCurrent
	}
	if err := to.enterable(self); err != nil {
		return err
	}
	if err := c.CheckThread(); err != nil {
		return err
	}
	to.entryExt, to.entryInt = c.entryExt, c.entryInt
	c.entryExt, c.entryInt = 0, 0
	to.open()
	// Nobody but the two sides reads gp: swapping T and O beforehand makes
	// coroswitch on c park F there and run T.
	owner := c.gp
	c.gp = to.g // not to.in: a body in a bubble has none
	to.gp = owner
	c.alignThread()
	coroswitch(c.own())
	return nil
}

// enterable returns why self cannot enter the body of c, or nil.
func (c *Coro) enterable(self uintptr) error {
	switch {
	case c.g == notEnterable, c.state == stateIdle:
		return ErrDone
	case c.gp != c.g:
		return ErrRunning
	case peek64(c.g+gBubble) != peek64(self+gBubble):
		return ErrBubble
	}
	return nil
}

// open makes a parked body ready for the runtime's own switch, which knows
// nothing of windows: it gets the running one.
func (c *Coro) open() {
	c.fresh = false
	c.letIn()
	if c.edge == 0 {
		return
	}
	if c.grows != 0 {
		// A callInReserve that has not returned takes its part back itself.
		if sp := peek64(c.g + gSchedSP); sp >= c.limitGuard() || !c.lends(sp) {
			c.rearm(sp)
		}
		if c.lo < c.limitGuard()-stackGuard {
			c.in = notEnterable // the reserve is still open: the next switch goes this way too
		}
	}
	for i := 0; !lockWindow(c); i++ {
		if i > 10 {
			runtime.Gosched() // the collector scans it, for µs per KiB
		}
	}
}

// threadLocks returns the OS-thread locks that g, running here, holds.
func threadLocks(g uintptr) (ext, internal uint32) {
	if peek64(g+gLockedm) == 0 {
		return 0, 0
	}
	m := peek64(g + gM)
	return peek32(m + mLockedExt), peek32(m + mLockedInt)
}

// alignThread makes the runtime's check of thread locks pass (coroswitch_m
// compares what the coroutine was made under with what it is switched under,
// and throws): made under means switched under, here. What must not be is
// caught before, by CheckThread.
func (c *Coro) alignThread() {
	g := getg()
	if peek64(g+gLockedm) == 0 {
		c.mp = 0
		return
	}
	c.mp = peek64(g + gM)
	c.lockedExt, c.lockedInt = peek32(c.mp+mLockedExt), peek32(c.mp+mLockedInt)
}

// CheckThread returns a *ThreadLockError if the body, which must be the caller,
// holds more OS-thread locks than its owner did when it switched to it.
func (c *Coro) CheckThread() error {
	if c.port() != nil {
		return nil // every portable body has a goroutine, so a thread, to itself
	}
	g := getg()
	if peek64(g+gLockedm) == 0 {
		return nil
	}
	ext, internal := threadLocks(g)
	if ext <= c.entryExt && internal <= c.entryInt {
		return nil
	}
	return &ThreadLockError{External: int(ext) - int(c.entryExt), Internal: int(internal) - int(c.entryInt)}
}

// UnlockThread undoes the LockOSThread calls that CheckThread complains of, for
// a body that ends: its owner would inherit them. It returns what CheckThread
// did before, nil if there was nothing to undo. A cgo callback is not undone.
func (c *Coro) UnlockThread() error {
	err := c.CheckThread()
	if err == nil {
		return nil
	}
	for ext, _ := threadLocks(getg()); ext > c.entryExt; ext-- {
		runtime.UnlockOSThread()
	}
	return err
}
