package sched

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
)

// A Net has sockets on which tasks wait, and is the loop that continues them:
// one goroutine calls [Net.Run], which waits for the system's reports and
// resumes, directly, the task that each of them is for.
//
// A task that waits in a call of this Net is continued by Run's goroutine and by
// no other, also if Close or SetDeadline on another goroutine ends its wait. So
// tasks that wait for nothing but one Net never run at the same time, and need
// no locks among themselves. (A task that is cancelled unwinds where Cancel is
// called.) Without Run, nobody is continued.
//
// A task that blocks Run's goroutine, in a lock of package sync or a channel, keeps
// all other tasks of the Net waiting; if it waits for one of them, for ever. Call a
// library that waits for its own goroutines, such as an http.Client over [Net.DialContext],
// in leaf.AwaitFunc or on a plain goroutine: see What blocks in the package's
// documentation, [Net.OnStall] and [Net.HandOver].
//
// A program that wants more than one core busy makes one Net for each, and
// spreads its connections over them: see [Listener.AcceptOn] and [ReusePort]. Let
// runtime.GOMAXPROCS be greater than the number of Nets then. Otherwise the runtime takes
// the processor from each that waits, looks for other work, and has to give it back.
//
// A Net is a [Scheduler]: [On] moves a task to Run's goroutine, whatever it waits
// for later.
//
// All methods may be called from any task and any goroutine. Calls that wait
// suspend a task; a plain goroutine they block.
type Net struct {
	clock  clock
	poller poller

	mu     sync.Mutex
	slots  []*desc  // by slotKey.slot; 0 is the poller's own
	gens   []uint32 // the next generation of each
	vacant []uint32
	timers timers
	sleeps *sleep // idle
	wakes  []wake // to be resumed by Run, in order
	closed bool
	ended  bool // closed, and the poller is gone

	running atomic.Bool // written with mu held
	asleep  atomic.Bool // Run blocks, or is about to, until it is notified
	lookout lookout
	relay   relay
	loop    loop
}

// NewNet makes a Net. On systems other than Linux the error matches
// errors.ErrUnsupported.
func NewNet() (*Net, error) {
	p, err := openPoller()
	if err != nil {
		return nil, fmt.Errorf("sched: NewNet on %s: %w", runtime.GOOS, err)
	}
	n := &Net{clock: clock{time.Now()}, poller: p, slots: make([]*desc, 1), gens: make([]uint32, 1), relay: newRelay()}
	n.lookout.init(n, &n.running)
	return n, nil
}

// Close closes all sockets, which ends all waits on them with net.ErrClosed,
// and lets Run return when those who waited have gone on. If Run is not under way,
// Close itself continues them. Closing twice returns net.ErrClosed.
func (n *Net) Close() error {
	n.mu.Lock()
	if n.closed {
		n.mu.Unlock()
		return ErrNetClosed
	}
	n.closed = true
	n.endSleeps()
	open := make([]*desc, 0, len(n.slots))
	for _, d := range n.slots {
		if d != nil {
			open = append(open, d)
		}
	}
	running := n.running.Load()
	n.mu.Unlock()
	for _, d := range open {
		d.shut()
	}
	if !running {
		if err := n.Run(); err != ErrNetRunning && err != ErrNetClosed {
			return err
		}
	}
	n.rouse()
	return nil
}

// open returns ErrNetClosed if the Net is closed.
func (n *Net) open() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return ErrNetClosed
	}
	return nil
}

// watch adds a descriptor. With an error, it is still the caller's.
func (n *Net) watch(d *desc) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return ErrNetClosed
	}
	var slot uint32
	if last := len(n.vacant) - 1; last >= 0 {
		slot = n.vacant[last]
		n.vacant = n.vacant[:last]
	} else {
		slot = uint32(len(n.slots))
		n.slots, n.gens = append(n.slots, nil), append(n.gens, 0)
	}
	d.key = slotKey{slot, n.gens[slot]}
	n.slots[slot] = d
	err := n.poller.add(d.fd, d.key)
	if err != nil {
		n.drop(d)
	}
	return err
}

// forget removes a descriptor that is about to be closed. Its desc.mu is held.
func (n *Net) forget(d *desc) {
	n.mu.Lock()
	n.drop(d)
	n.disarm(&d.r.timer)
	n.disarm(&d.w.timer)
	n.mu.Unlock()
}

func (n *Net) drop(d *desc) {
	slot := d.key.slot
	n.slots[slot] = nil
	n.gens[slot]++
	n.vacant = append(n.vacant, slot)
}

// Post has Run resume h. Errors: resume.ErrStale, if h is stale already;
// ErrNetClosed.
func (n *Net) Post(h resume.Handle) error {
	if !h.Live() {
		return resume.ErrStale
	}
	return n.postOpen(wake{task: h})
}

// Publish makes a Net the home of tasks (see ctx.Task.SetHome): Run resumes h. If
// the Net is closed, the task goes on where it is.
func (n *Net) Publish(h resume.Handle) { comeHome(n, h) }

// Do has Run call f: from there, say, a Cancel finds no task of the Net
// running. Errors: ErrNilFunc, ErrNetClosed.
func (n *Net) Do(f func()) error {
	if f == nil {
		return ErrNilFunc
	}
	return n.postOpen(wake{call: f})
}

func (n *Net) postOpen(w wake) error {
	n.mu.Lock()
	if n.closed {
		n.mu.Unlock()
		return ErrNetClosed
	}
	n.wakes = append(n.wakes, w)
	n.mu.Unlock()
	n.rouse()
	return nil
}

// post has w continued: a task by Run, a goroutine at once.
func (n *Net) post(w wake) {
	if w.goroutine != nil {
		w.goroutine <- struct{}{} // has room for one, and gets one for each wait
		return
	}
	n.mu.Lock()
	if n.ended {
		n.mu.Unlock()
		go w.task.Resume() // it parked after the last Run
		return
	}
	n.wakes = append(n.wakes, w)
	n.mu.Unlock()
	n.rouse()
}

// rouse makes Run look for wakes and timers, if it sleeps.
func (n *Net) rouse() {
	if n.asleep.Load() && n.asleep.CompareAndSwap(true, false) {
		n.poller.notify()
	}
}

// giveWay lets Run serve all others before the current task goes on.
func (n *Net) giveWay() {
	if t := ctx.Current(); t != nil {
		_ = n.park(t, (*turn)(n)) // a task that cannot be parked goes on
	}
}

// park is t.Park for a wait that Run ends: a task that is at home here need not
// come home then.
func (n *Net) park(t *ctx.Task, p resume.Publisher) error {
	if t.Home() == resume.Publisher(n) {
		return parkHere(t, p)
	}
	return t.Park(p)
}

// A turn publishes a task that only waits for its turn.
type turn Net

func (n *turn) Publish(h resume.Handle) { (*Net)(n).post(wake{task: h}) }
