package sched

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
)

// A Loop runs tasks on a single goroutine, the one that called Run, Drain or
// RunUntilIdle, in first-in, first-out order. Tasks that Go starts, and tasks that On
// moves here, always continue on that goroutine, so they need no locks among
// themselves.
//
// A task that blocks the goroutine, instead of being suspended, keeps all other tasks
// waiting: see What blocks in the package's documentation. The Loop reports such a
// task, see OnStall, and can be handed over, see HandOver.
//
// All other methods may be called from any goroutine and any task. Items stay queued
// until the next run.
type Loop struct {
	start time.Time // when its clock was 0
	idle  idle

	mu      sync.Mutex
	queue   []item // what came since the last turn
	timers  timerHeap
	seq     uint64
	spare   *Timer // for Sleep, linked by next
	asleep  bool   // the runner is in idle.wait, or about to be
	refused []Refusal
	stats   Stats

	stop    atomic.Bool
	running atomic.Bool
	tasks   atomic.Int64
	failed  failures
	lookout lookout
	relay   relay

	// The runner's own.
	turn    []item // what has its turn; before next it is spent
	next    int
	counted Stats // not in stats yet
	beat    beat
}

// NewLoop makes a Loop.
func NewLoop() *Loop {
	l := &Loop{start: time.Now(), idle: newIdle(), relay: newRelay()}
	l.lookout.init(l, &l.running)
	return l
}

// OnFailure has f called, where the task ended, with the error of each task that
// Go has started and that panicked or could not be started. Without it, or with
// nil, such errors are what Run, Drain and RunUntilIdle return.
func (l *Loop) OnFailure(f func(error)) { l.failed.setNotify(f) }

// Post queues h. Error: resume.ErrStale if h is stale already.
func (l *Loop) Post(h resume.Handle) error {
	if !h.Live() {
		return resume.ErrStale
	}
	l.post(item{h: h})
	return nil
}

// Publish queues h. It makes the Loop a resume.Publisher: t.SuspendTo(l) waits
// for t's turn, and ctx.WithHome(l) starts a task that always goes on here.
func (l *Loop) Publish(h resume.Handle) { l.post(item{h: h}) }

// Do queues a call of f, which must not suspend: it is on no task. A panic of f
// is that of Run. Error: ErrNilFunc.
func (l *Loop) Do(f func()) error {
	if f == nil {
		return ErrNilFunc
	}
	l.post(item{call: plain(f)})
	return nil
}

// Go queues the start of a task. Its home is the Loop: wherever it is resumed,
// it goes on here. The storage of its stack is taken when its turn comes.
//
// Error: ctx.ErrNilBody. Those of ctx.Spawn are reported as OnFailure says.
func (l *Loop) Go(body func(t *ctx.Task), opts ...ctx.Option) error {
	c, err := newStart(body, opts)
	if err != nil {
		return err
	}
	l.tasks.Add(1)
	l.post(item{call: c})
	return nil
}

// Yield lets everything run that is queued, before the current task t goes on.
// Errors: those of Task.Park.
func (l *Loop) Yield(t *ctx.Task) error {
	if t == nil {
		return resume.ErrNotOnTask
	}
	return parkAt(l, t, l)
}

func (l *Loop) post(it item) {
	l.mu.Lock()
	l.queue = append(l.queue, it)
	l.rouse()
}

// rouse ends the runner's sleep, if it sleeps. The caller holds mu, and does not
// after it.
func (l *Loop) rouse() {
	asleep := l.asleep
	l.asleep = false
	l.mu.Unlock()
	if asleep {
		l.idle.wake()
	}
}

// Stop makes the run that is under way return when its current item has run, or
// else the next run return at once. What is queued stays queued.
func (l *Loop) Stop() {
	l.stop.Store(true)
	l.mu.Lock()
	l.rouse()
}

func (l *Loop) home() resume.Publisher { return l }

// TaskEnded is called by package ctx.
func (l *Loop) TaskEnded(t *ctx.Task) resume.Handle {
	l.failed.ended(t.Err())
	l.leave()
	return resume.Handle{}
}

func (l *Loop) notStarted(err error) {
	l.failed.add(err)
	l.leave()
}

// leave counts a task out. The last one ends a Drain.
func (l *Loop) leave() {
	if l.tasks.Add(-1) == 0 {
		l.mu.Lock()
		l.rouse()
	}
}

// Refused returns the handles that could not be resumed by the goroutine that
// runs the Loop, and forgets them. The next run tries what is left.
func (l *Loop) Refused() []Refusal {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.refused
	l.refused = nil
	return r
}

// Stats returns counts that are up to date at the end of a run, else nearly.
func (l *Loop) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.stats
	s.Tasks = int(l.tasks.Load())
	s.Queued += len(l.queue)
	s.Timers = len(l.timers)
	return s
}
