//go:build stackhopcheck

package stackhop

import "sync"

// checked: each switch is claimed. Two goroutines that switch to one coroutine at the
// same time are a mistake of the program that costs too much to find at every switch:
// with -tags stackhopcheck one of them gets ErrRunning. Without, the process ends with
// a memory fault, or worse.
const checked = true

// claims has the coroutines that an owner is in: *Coro → *claim.
var claims sync.Map

// A claim belongs to one owner as long as the owner's call of Switch or TrySwitch
// lasts. When a body transfers, the claim goes with the owner to the next coroutine.
type claim struct{ of *Coro }

// claimed makes a switch to or from c, for an owner under its claim.
func (c *Coro) claimed(run func() error) error {
	if c.current() {
		return run() // the body's side: its owner has the claim
	}
	k := &claim{of: c}
	if _, busy := claims.LoadOrStore(c, k); busy {
		return ErrRunning
	}
	defer func() { claims.CompareAndDelete(k.of, k) }()
	return run()
}

// mustSwitch is Switch with a claim.
func (c *Coro) mustSwitch() {
	if err := c.TrySwitch(); err != nil {
		panic(err)
	}
}

// passed makes a transfer from c, the caller, to the body of to. The claim of c's owner
// then is on to.
func (c *Coro) passed(to *Coro, run func() error) error {
	v, ok := claims.Load(c)
	if !ok || !c.current() {
		return run() // which refuses it
	}
	k := v.(*claim)
	if _, busy := claims.LoadOrStore(to, k); busy {
		return ErrRunning
	}
	k.of = to
	claims.CompareAndDelete(c, k)
	err := run()
	if err != nil { // nothing has happened: the owner is c's still
		claims.Store(c, k)
		k.of = c
		claims.CompareAndDelete(to, k)
	}
	return err
}
