package sched

import (
	"fmt"
	"math"

	"github.com/stackhop/stackhop/resume"
)

// maxEvents is how many reports are taken from the system at once.
const maxEvents = 256

// patience is how often Run looks again before it sleeps: about two microseconds,
// if nobody else wants the core.
const patience = 4

// A loop is what belongs to whoever is in Run.
type loop struct {
	events [maxEvents]pollEvent
	report [maxEvents]*desc // what they are about
	batch  []wake           // to be resumed next; kept over an error or panic
	next   int              // in batch
}

// Run continues, on the calling goroutine, whoever waits on the Net's sockets,
// until Close; then it returns nil. It blocks an OS thread while there is
// nothing to do.
//
// Errors: ErrNetRunning if another Run is under way; ErrNetClosed. If a task
// cannot be resumed here, because the goroutine is locked to its thread
// (resume.ErrThreadLocked) or belongs to another testing/synctest bubble
// (stackhop.ErrBubble), Run returns that error; the task goes on when Run is called
// elsewhere.
func (n *Net) Run() error {
	if err := n.begin(); err != nil {
		return err
	}
	defer n.end()
	events := 0
	for {
		timers, finished := n.collect(events)
		if timers {
			n.fire()
		}
		if err := n.resumeBatch(); err != nil {
			return err
		}
		if finished {
			return nil
		}
		if events = n.look(); events == 0 {
			events = n.await()
		}
	}
}

func (n *Net) begin() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.ended:
		return ErrNetClosed
	case n.running:
		return ErrNetRunning
	}
	n.running = true
	return nil
}

func (n *Net) end() {
	n.mu.Lock()
	n.running = false
	n.mu.Unlock()
}

// collect makes a batch of those who were posted and those whom the events are
// for. It says whether there are timers, and whether the Net is closed and
// nobody is left: then the poller is gone.
func (n *Net) collect(events int) (timers, finished bool) {
	l := &n.loop
	n.mu.Lock()
	l.batch = append(l.batch, n.wakes...)
	clear(n.wakes)
	n.wakes = n.wakes[:0]
	for i := range l.events[:events] {
		key := eventKey(&l.events[i])
		if d := n.slots[key.slot]; d != nil && d.key == key {
			l.report[i] = d
		}
	}
	timers = len(n.timers) != 0
	if n.closed && len(l.batch) == 0 && len(n.vacant) == len(n.slots)-1 {
		n.ended, finished = true, true
		n.poller.close()
	}
	n.mu.Unlock()
	for i, d := range l.report[:events] {
		if d != nil {
			l.report[i] = nil
			r, w := d.happened(eventReady(&l.events[i]))
			l.add(r)
			l.add(w)
		}
	}
	return timers, finished
}

func (l *loop) add(w wake) {
	switch {
	case w.goroutine != nil:
		w.goroutine <- struct{}{}
	case w.task != resume.Handle{}:
		l.batch = append(l.batch, w)
	}
}

func (n *Net) resumeBatch() error {
	l := &n.loop
	for l.next < len(l.batch) {
		w := l.batch[l.next]
		l.batch[l.next] = wake{}
		l.next++
		if w.call != nil {
			w.call()
			continue
		}
		if err := w.task.Resume(); err != nil && err != resume.ErrStale {
			l.next--
			l.batch[l.next] = w
			return fmt.Errorf("sched: Net.Run cannot resume a task here: %w", err)
		}
	}
	l.batch, l.next = l.batch[:0], 0
	return nil
}

// look returns how many events there are. If none, the other side may be about to
// make some, and want the core for that: going to sleep and being woken would cost
// both more than a short while of patience.
func (n *Net) look() int {
	events := n.poller.peek(n.loop.events[:])
	for i := 0; i < patience && events == 0; i++ {
		n.poller.yield()
		events = n.poller.peek(n.loop.events[:])
	}
	return events
}

// await blocks until there are events, a timer is due, or somebody notifies.
func (n *Net) await() int {
	n.asleep.Store(true) // from here on, a post notifies
	n.mu.Lock()
	ms := -1
	switch {
	case len(n.wakes) != 0 || n.closed:
		ms = 0
	case len(n.timers) != 0:
		ms = milliseconds(n.timers[0].when - n.clock.now())
	}
	n.mu.Unlock()
	events := n.poller.block(n.loop.events[:], ms)
	n.asleep.Store(false)
	return events
}

// milliseconds rounds a wait up: before its time a timer is not due.
func milliseconds(ns int64) int {
	return int(min(max(ns, 0)/1_000_000+1, math.MaxInt32))
}
