package sched

import (
	"fmt"
	"math"
	"time"

	"github.com/stackhop/stackhop/resume"
)

// maxEvents is how many reports are taken from the system at once.
const maxEvents = 256

// patience is how often Run looks again before it sleeps: about two microseconds,
// if nobody else wants the core.
const patience = 4

// A loop is the runner's: see relay.
type loop struct {
	beat   beat
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
	var word uint64 // of the item that runs
	defer func() { n.end(word) }()
	for events := 0; ; {
		timers, finished := n.collect(events, false)
		if timers {
			n.fire()
		}
		mine, err := n.resumeBatch(&word)
		switch {
		case !mine:
			n.relay.comeBack(n.rouse)
			events = 0
			continue
		case err != nil:
			return err
		case finished:
			return nil
		}
		if events = n.look(); events == 0 {
			events = n.await(false)
		}
	}
}

// substitute runs the Net in place of Run's goroutine, until that comes back or
// another one takes its place.
func (n *Net) substitute() {
	var word uint64
	done := false
	defer func() {
		if !done && (word == 0 || n.loop.beat.end(word)) {
			n.goOn()
		}
	}()
	for events := 0; ; {
		if timers, _ := n.collect(events, true); timers {
			n.fire()
		}
		mine, err := n.resumeBatch(&word)
		for err != nil && !n.relay.recall.Load() {
			time.Sleep(time.Millisecond) // Run's goroutine is to try, and to return the error
		}
		if done = !mine || n.relay.giveBack(); done {
			return
		}
		if events = n.look(); events == 0 {
			events = n.await(true)
		}
	}
}

func (n *Net) goOn() { n.relay.takeOver(n.substitute) }

func (n *Net) begin() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.ended:
		return ErrNetClosed
	case n.running.Load():
		return ErrNetRunning
	}
	n.running.Store(true)
	n.lookout.start()
	return nil
}

// end is the last of Run, however it ends. If an item did not return, because of
// a panic or Goexit, word is its word, and the caller may not be the runner.
func (n *Net) end(word uint64) {
	if word != 0 && !n.loop.beat.end(word) {
		n.relay.comeBack(n.rouse)
	}
	n.loop.beat.rest()
	n.mu.Lock()
	n.running.Store(false)
	n.mu.Unlock()
}

// collect makes a batch of those who were posted and those whom the events are
// for. It says whether there are timers, and whether the Net is closed and
// nobody is left: then the poller is gone. A substitute leaves it.
func (n *Net) collect(events int, substitute bool) (timers, finished bool) {
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
	if n.closed && !substitute && len(l.batch) == 0 && len(n.vacant) == len(n.slots)-1 {
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

// resumeBatch runs what collect has found. It returns mine as false if the caller
// is not the runner any more: another goroutine has taken the Net over meanwhile.
// current is not 0 as long as an item runs.
//
// It is not inlined: a trace of the runner has it, with the Net.
//
//go:noinline
func (n *Net) resumeBatch(current *uint64) (mine bool, err error) {
	l := &n.loop
	l.beat.ready(len(l.batch) - l.next)
	for l.next < len(l.batch) {
		w := l.batch[l.next]
		l.batch[l.next] = wake{}
		l.next++
		word := l.beat.begin(w.task.Slot())
		*current = word
		var err error
		if w.call != nil {
			w.call()
		} else {
			err = w.task.Resume()
		}
		*current = 0
		mine := l.beat.end(word)
		switch {
		case err == nil, err == resume.ErrStale:
		case mine:
			l.next--
			l.batch[l.next] = w
			return true, fmt.Errorf("sched: Net.Run cannot resume a task here: %w", err)
		default:
			n.post(w)
		}
		if !mine {
			return false, nil
		}
	}
	l.batch, l.next = l.batch[:0], 0
	l.beat.rest()
	return true, nil
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
func (n *Net) await(substitute bool) int {
	n.asleep.Store(true) // from here on, a post notifies
	n.mu.Lock()
	ms := -1
	switch {
	case len(n.wakes) != 0, n.closed && !substitute, substitute && n.relay.recall.Load():
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
