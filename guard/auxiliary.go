package guard

import (
	"math/bits"
	"sync"
	"sync/atomic"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/internal/nilpanic"
	"github.com/stackhop/stackhop/mmapstack"
)

// An aux is an auxiliary stack and the coroutine that waits on it for something
// to call. It stays attached to the stack while that is idle.
type aux struct {
	coro  *stackhop.Coro
	stack *mmapstack.Stack
	pool  *mmapstack.Pool // nil: the stack ends with its first call
	serve func(*stackhop.Coro)
	quit  bool

	fn     func()
	caller *stackhop.Coro
	host   Host             // of the caller; nil: a bare coroutine
	from   *mmapstack.Stack // on which the host was
	depth  int
	secret bool // the caller is in runtime/secret.Do
	end    ending
}

// An ending is how fn ended.
type ending struct {
	there    bool
	goexited bool
	panicked bool // also in a Goexit: a deferred call
	value    any  // with which
	err      error
}

// pools are by policy, and by the size in powers of two.
var pools [2][64]atomic.Pointer[mmapstack.Pool]
var poolsMu sync.Mutex

// mostNeed returns the most bytes that Grow can be asked for on auxiliary stacks of the policy.
func mostNeed(policy Policy) int {
	if policy == Growing {
		return mmapstack.GrowMax - HopReserve
	}
	return mmapstack.MaxSize - HopReserve
}

// poolFor returns the pool of stacks that have size bytes and the policy.
func poolFor(size int, policy Policy) (*mmapstack.Pool, error) {
	class := bits.Len(uint(max(size, HopSize) - 1))
	at := &pools[policy][class]
	if p := at.Load(); p != nil {
		return p, nil
	}
	poolsMu.Lock()
	defer poolsMu.Unlock()
	if p := at.Load(); p != nil {
		return p, nil
	}
	p, err := NewPool(policy, 1<<class)
	if err == nil {
		at.Store(p)
	}
	return p, err
}

// acquire returns an auxiliary stack for need bytes, of the policy that c's stack has.
func acquire(need int, c *stackhop.Coro) (*aux, error) {
	policy := Strict
	if c.Region().First != 0 {
		policy = Growing
	}
	if most := mostNeed(policy); need > most {
		return nil, &mmapstack.SizeError{What: "bytes that guard.Grow is asked for", Value: need, Min: 0, Max: most}
	}
	size := max(need, 0) + HopReserve
	if stackhop.InBubble() {
		return oneAux(policy, size)
	}
	pool, err := poolFor(size, policy)
	if err != nil {
		return nil, err
	}
	s, err := pool.GetAttached()
	if err != nil {
		return nil, err
	}
	_ = s.Enter() // it is out: no error
	a, ok := s.Attached().(*aux)
	switch {
	case !ok:
		a, err = newAux(s)
	case a.coro.Done(): // a Goexit ended it
		err = a.coro.Reset(a.serve)
	}
	if err != nil {
		s.Leave()
		pool.Put(s)
		return nil, err
	}
	a.pool = pool
	return a, nil
}

// oneAux is for a caller in a testing/synctest bubble, which waits for the end of
// its goroutines, and cannot end those that were made elsewhere: so the stack is a
// new one.
func oneAux(policy Policy, size int) (*aux, error) {
	s, err := New(policy, max(size, HopSize))
	if err != nil {
		return nil, err
	}
	a, err := newAux(s)
	if err != nil {
		_ = s.Close()
		return nil, err
	}
	_ = s.Enter() // it is out: no error
	return a, nil
}

// newAux makes the coroutine on s, which it stays attached to.
func newAux(s *mmapstack.Stack) (*aux, error) {
	c, err := stackhop.New(s.Region(), nil)
	if err != nil {
		return nil, err
	}
	a := &aux{coro: c, stack: s}
	a.serve = a.serveAll
	s.Attach(a)
	return a, c.Reset(a.serve)
}

// release gives the stack back, on which a waits again or has ended.
func (a *aux) release() {
	a.fn, a.caller, a.host, a.from = nil, nil, nil, nil
	a.coro.SetLocal(nil)
	a.stack.Leave()
	if a.pool == nil {
		_ = a.stack.Close() // in the bubble it was made in: no error
		return
	}
	a.coro.Shrink()
	a.pool.Put(a.stack)
}

// LivesFrom makes an aux an mmapstack.Lodger.
func (a *aux) LivesFrom() uintptr { return a.coro.ParkedSP() }

// Vacate ends the coroutine. mmapstack calls it before the memory goes away.
func (a *aux) Vacate() error {
	if !a.coro.Done() {
		a.quit = true
		if err := a.coro.TrySwitch(); err != nil {
			a.quit = false
			return err
		}
	}
	return a.coro.Close()
}

// serveAll is the body of the coroutine: a call, a pause, the next call.
func (a *aux) serveAll(*stackhop.Coro) {
	for !a.quit {
		a.run()
		a.back()
	}
}

// run calls fn. After a Goexit it goes back from a deferred call, which it
// does not return from before the caller has it end the coroutine.
func (a *aux) run() {
	finished := false
	defer func() {
		if !finished {
			a.end.goexited = true
			a.back()
		}
	}()
	a.call()
	finished = true
}

// call returns unless fn calls Goexit.
func (a *aux) call() {
	returned := false
	defer func() {
		if !returned {
			v := recover()
			if v == nil {
				v = nilpanic.Value()
			}
			if v != nil {
				a.end.panicked, a.end.value = true, v
			}
		}
	}()
	if a.secret {
		inSecret(a.body)
	} else {
		a.body()
	}
	returned = true
}

// body calls fn, within what the host has to do for it.
func (a *aux) body() {
	if a.host != nil {
		a.host.Hopped(a.depth, a.fn)
	} else {
		a.fn()
	}
}

// back continues the caller.
func (a *aux) back() {
	a.end.err = a.coro.UnlockThread()
	a.end.there = true
	a.caller.InheritLabels()
	if a.host == nil {
		a.coro.Switch()
		return
	}
	a.host.Moved(a.caller, a.from)
	if err := a.coro.Transfer(a.caller); err != nil {
		panic("BUG: guard: " + err.Error())
	}
}
