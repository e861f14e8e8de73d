//go:build linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28

package stackhop

import (
	"runtime"
	"sync/atomic"
)

// EndsThread is for the body of c: it reports whether the body has locked its OS
// thread and, if it ended now, the thread would end with it, as that of a goroutine
// does. Then the owner goes on on another thread, and the coroutine is closed. It
// reports false if the owner is locked to the same thread, or there is a cgo callback
// on it: then the end of the body unlocks the thread.
func (c *Coro) EndsThread() bool {
	if c.port() != nil || peek64(getg()+gLockedm) == 0 {
		return false
	}
	ext, internal := threadLocks(getg())
	return ext != 0 && c.entryExt == 0 && internal == 0 && c.entryInt == 0
}

// endThread is called at the end of a body. If its thread is to end, so must its
// goroutine; otherwise the owner must not inherit the locks.
func (c *Coro) endThread() {
	if c.EndsThread() {
		c.oneShot = true // so finish closes c, and exit comes next
		return
	}
	_ = c.UnlockThread()
}

// leaveOwner is called on the native stack by the goroutine T of c, which is about to
// end, locked to a thread M that must end with it. The owner O must not go on on M, as
// coroexit would have it. So a goroutine H takes O's place in c, which runs O where H
// was: not on M, for T is locked to that.
//
//	before   gp = O   T: running on M        O: parked
//	after    gp = H   T: running on M        O: running elsewhere   H: parked
//
// Then T ends, and coroexit runs H, on M, and locks it to that. H returns: so M ends.
// O may look at c meanwhile: c is closed, and O writes nothing to it.
func (c *Coro) leaveOwner() {
	owner := atomic.LoadUintptr(&c.gp)
	go c.takeOwnersPlace()
	for atomic.LoadUintptr(&c.gp) == owner {
		runtime.Gosched()
	}
}

func (c *Coro) takeOwnersPlace() {
	c.mp = 0 // H is locked to nothing: see alignThread
	coroswitch(c.own())
}
