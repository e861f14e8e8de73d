//go:build !(linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28)

package stackhop

import (
	"fmt"
	"runtime"
)

func decide() decision {
	return decision{name: portableName, reason: fmt.Sprintf(
		"no assembly for this build: it needs linux/amd64 or linux/arm64, Go 1.25 to 1.27, no race, msan or asan; this is %s/%s, %s",
		runtime.GOOS, runtime.GOARCH, runtime.Version())}
}

// Switch runs the other side: the owner switches into the body, the body back
// to its owner. It returns when the other side switches back or, for the
// owner, when the body has ended. It panics with the error that TrySwitch
// would have returned.
func (c *Coro) Switch() {
	if err := c.TrySwitch(); err != nil {
		panic(err)
	}
}

// TrySwitch is Switch for a caller that wants to go on after a refusal. Errors:
// ErrDone, ErrRunning, ErrBubble, and for the body a *ThreadLockError. After
// an error no side has run.
//
// Two goroutines that call it at the same time for one coroutine are a mistake that
// ends the process, by a memory fault or worse. In a program built with
// -tags stackhopcheck one of them gets ErrRunning.
func (c *Coro) TrySwitch() error {
	if checked {
		return c.claimed(c.trySwitch)
	}
	return c.port().trySwitch(c)
}

// Transfer parks the body of c, which must be the caller, and runs the body of
// to, which must be parked or fresh. c's owner becomes to's owner; c continues
// when somebody switches to it. Errors: ErrNotCurrent, and those of TrySwitch.
func (c *Coro) Transfer(to *Coro) error {
	if checked {
		return c.passed(to, func() error { return c.transfer(to) })
	}
	return c.port().transfer(c, to)
}

// trySwitch is TrySwitch without a claim.
func (c *Coro) trySwitch() error { return c.port().trySwitch(c) }

// transfer is Transfer without a claim.
func (c *Coro) transfer(to *Coro) error { return c.port().transfer(c, to) }

// CheckThread returns a *ThreadLockError if the body, which must be the caller,
// holds more OS-thread locks than its owner did when it switched to it.
func (c *Coro) CheckThread() error { return nil }

// UnlockThread undoes the LockOSThread calls that CheckThread complains of.
func (c *Coro) UnlockThread() error { return nil }

// InheritLabels gives the body the calling goroutine's profiler labels. Here
// only a body that has not started gets them: from the go statement.
func (c *Coro) InheritLabels() {}

// Current returns the coroutine of the body that the calling goroutine runs, or nil.
func Current() *Coro { return portableCurrent() }

// InBubble reports whether the caller is in a testing/synctest bubble. In this
// build nothing tells: false.
func InBubble() bool { return false }

func currentBubble() uintptr { return 0 }

func (c *Coro) make() {
	_ = backend() // which says portably
	c.link = newPortable()
}

func (c *Coro) arm()       { c.state, c.goexited = stateReady, false }
func (c *Coro) end() error { return c.port().end() }

// NativeBytes returns 0: nothing tells the size of a goroutine's stack here.
func (c *Coro) NativeBytes() int { return 0 }
