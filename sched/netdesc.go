package sched

import (
	"net"
	"os"
	"sync"
	"time"
)

// slotKey says which descriptor a report of the poller is about. Slots are used
// again; a report that has been overtaken by a close has an old generation.
type slotKey struct{ slot, gen uint32 }

// A desc is a non-blocking descriptor that a Net watches.
type desc struct {
	net *Net
	fd  int
	key slotKey // guarded by Net.mu

	mu     sync.Mutex
	closed bool
	calls  int   // system calls on fd in flight: the last one of a closed one frees it
	err    error // of close(2)

	file string // of a listening Unix socket: removed before the close

	r, w side
}

func (d *desc) init(n *Net, fd int) {
	d.net, d.fd = n, fd
	d.r.init(d)
	d.w.init(d)
}

// shut closes the descriptor: waiting calls fail with net.ErrClosed, now; so do
// all later ones.
func (d *desc) shut() error {
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return net.ErrClosed
	}
	d.closed = true
	d.r.fail(net.ErrClosed)
	d.w.fail(net.ErrClosed)
	d.net.forget(d) // after the last post: the loop ends when it has nothing left
	if d.calls == 0 {
		d.free()
	}
	err := d.err
	d.mu.Unlock()
	return err
}

// called notes the end of a system call. d.mu is held.
func (d *desc) called() {
	if d.calls--; d.calls == 0 && d.closed {
		d.free()
	}
}

// free gives the descriptor back to the system, once nobody can be using its
// number.
func (d *desc) free() {
	if d.file != "" && d.file[0] != '@' {
		os.Remove(d.file) // it may be gone already
	}
	d.err = sysClose(d.fd)
}

// unwatched frees a descriptor that its Net did not take.
func (d *desc) unwatched() {
	d.mu.Lock()
	d.closed = true
	d.free()
	d.mu.Unlock()
}

// happened notes what the poller says, and returns who is to go on.
func (d *desc) happened(read, write, odd bool) (r, w wake) {
	d.mu.Lock()
	if read {
		d.r.ready, d.r.odd = true, d.r.odd || odd
		r, _ = d.r.dispatch()
	}
	if write {
		d.w.ready = true
		w, _ = d.w.dispatch()
	}
	d.mu.Unlock()
	return r, w
}

// use runs f on the number of an open descriptor, which stays open meanwhile.
func (d *desc) use(f func(fd int) error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return net.ErrClosed
	}
	return f(d.fd)
}

// setDeadline sets that of both sides, or of one.
func (d *desc) setDeadline(t time.Time, r, w bool) error {
	when := d.net.clock.at(t)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return net.ErrClosed
	}
	if r {
		d.r.setDeadline(when)
	}
	if w {
		d.w.setDeadline(when)
	}
	return nil
}
