package main

import (
	"time"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
)

// A resource has a number of equal units: the tellers of a bank. Who finds
// none free stands in a queue.
type resource struct {
	sim   *sim
	free  int
	queue []*waiter
	stats
}

// stats are kept by the queue itself.
type stats struct {
	served, left int           // who got a unit, and who lost patience
	waited       time.Duration // by all together
	standing     int           // in the queue now
	longest      int           // the queue ever was
	area         time.Duration // the queue's length, integrated over time
	changed      time.Duration // when standing did
}

type waiter struct {
	process resume.Handle
	given   bool
}

// acquire takes a unit, after a wait if need be. It reports false if that
// would take longer than patience.
//
// The handle of the suspension is in two places, the queue and the agenda. Who
// comes first resumes the process; in the other place the handle is stale from then on,
// and need not be looked for there.
func (r *resource) acquire(patience time.Duration) bool {
	if r.free > 0 {
		r.free--
		r.served++
		return true
	}
	w := new(waiter)
	defer r.stand()()
	ctx.Suspend(func(process resume.Handle) {
		w.process = process
		r.queue = append(r.queue, w)
		r.sim.after(patience, process)
	})
	if w.given {
		r.served++
	} else {
		r.left++
	}
	return w.given
}

// release hands a unit on to the first who still waits.
func (r *resource) release() {
	for len(r.queue) > 0 {
		w := r.queue[0]
		r.queue = r.queue[1:]
		if w.process.Live() {
			w.given = true
			r.sim.after(0, w.process)
			return
		}
	}
	r.free++
}

// stand counts the caller as standing in the queue, until leave is called.
func (r *resource) stand() (leave func()) {
	since := r.sim.now
	r.count(+1)
	return func() {
		r.count(-1)
		r.waited += r.sim.now - since
	}
}

func (r *resource) count(n int) {
	r.area += time.Duration(r.standing) * (r.sim.now - r.changed)
	r.changed = r.sim.now
	r.standing += n
	r.longest = max(r.longest, r.standing)
}
