package stackhop

import (
	"runtime/debug"
	"unsafe"

	"github.com/stackhop/stackhop/internal/nilpanic"
)

// portable is the backend that needs nothing but goroutines and channels: a
// body runs on a goroutine of its own, and one side waits on a channel while
// the other runs. It serves every target, build mode and OS-thread lock state.
// iter.Pull would be faster, but ends the process when it is resumed under
// another thread lock than it was made under (runtime.coroswitch_m, coro.go,
// Go 1.25 to 1.27), and makes the owner exit when the body calls Goexit.
type portable struct {
	enter   chan *Coro // owner to body; nil ends the goroutine
	leave   chan struct{}
	self    uintptr // the body's goroutine, as goroutineID tells it
	bubble  uintptr // the synctest bubble that the channels belong to, where it can be told
	running bool    // the body runs; written by the side that runs
	alive   bool    // the goroutine exists
}

// port is nil if the asm backend serves.
func (c *Coro) port() *portable {
	if !portably {
		return nil
	}
	return (*portable)(c.link) // SAFETY(K1): make stored one
}

// newPortable answers a *portable, for Coro.link. SAFETY(K1): only port reads it back.
func newPortable() unsafe.Pointer {
	return unsafe.Pointer(&portable{enter: make(chan *Coro, 1), leave: make(chan struct{}, 1), bubble: currentBubble()})
}

// trySwitch is TrySwitch of the portable backend.
func (p *portable) trySwitch(c *Coro) error {
	if p == nil {
		return ErrDone // a zero Coro
	}
	if p.running {
		if goroutineID() != p.self {
			return ErrRunning
		}
		p.suspend()
		return nil
	}
	if c.state != stateReady {
		return ErrDone
	}
	if p.bubble != currentBubble() {
		return ErrBubble
	}
	p.resume(c)
	return nil
}

// resume runs the body until it suspends or ends. Owner's side.
func (p *portable) resume(c *Coro) {
	p.start()
	p.running = true
	leave := p.leave // the body may pass it on, by transfer
	p.enter <- c
	<-leave
}

// start makes the goroutine, if there is none.
func (p *portable) start() {
	if !p.alive {
		p.alive = true
		go p.serve()
	}
}

// suspend hands over to the owner. Body's side.
func (p *portable) suspend() {
	p.running = false
	p.leave <- struct{}{}
	<-p.enter
}

// serve is the goroutine: it runs bodies until its coroutine ends.
func (p *portable) serve() {
	id := goroutineID()
	defer currentPortable.Delete(id)
	for c := <-p.enter; c != nil; c = <-p.enter {
		p.self = id
		currentPortable.Store(id, c)
		oneShot := c.oneShot
		p.run(c)
		currentPortable.Delete(id)
		debug.SetPanicOnFault(false) // one body's, not the next's
		p.running = false
		if oneShot {
			p.alive = false
			p.leave <- struct{}{}
			return
		}
		p.leave <- struct{}{}
	}
	p.leave <- struct{}{}
}

// run runs one body. When the body calls Goexit it does not return: the
// deferred function hands over, and the goroutine ends.
func (p *portable) run(c *Coro) {
	c.running = true
	returned := false
	defer func() {
		if returned {
			c.finish(false)
			return
		}
		v := recover()
		if v == nil {
			v = nilpanic.Value()
		}
		if v != nil {
			panic(v)
		}
		c.finish(true)
		currentPortable.Delete(p.self)
		p.running, p.alive = false, false
		p.leave <- struct{}{}
	}()
	c.body(c)
	returned = true
}

// end makes the goroutine leave, and waits until it has.
func (p *portable) end() error {
	if !p.alive {
		return nil
	}
	if p.bubble != currentBubble() {
		return ErrBubble
	}
	p.alive = false
	p.enter <- nil
	<-p.leave
	return nil
}

// transfer parks the body of c and runs to, whose owner becomes c's.
func (p *portable) transfer(c, to *Coro) error {
	q := to.port()
	switch {
	case !p.running || goroutineID() != p.self:
		return ErrNotCurrent
	case q.running:
		return ErrRunning
	case to.state != stateReady:
		return ErrDone
	}
	if q.bubble != currentBubble() {
		return ErrBubble
	}
	q.start()
	// The owner waits on p.leave; to must answer there, and c on a channel
	// that nobody waits on yet.
	p.leave, q.leave = q.leave, p.leave
	p.running, q.running = false, true
	q.enter <- to
	<-p.enter
	return nil
}

// portableCurrent is Current of the portable backend.
func portableCurrent() *Coro {
	if v, ok := currentPortable.Load(goroutineID()); ok {
		return v.(*Coro)
	}
	return nil
}
