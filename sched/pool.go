package sched

import (
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
)

// A Pool runs tasks on several goroutines, its workers. Each has a queue of its
// own; one that has nothing to do takes from the others, and sleeps if there is
// nothing at all. A task may go on on another worker after each suspension.
//
// The order is no promise, but nothing that is queued waits for ever while others
// have their turns: tasks that have begun go on first come, first served, as a
// rule before new ones begin, of which the newest is first, so that a tree of
// tasks is walked by depth and not by breadth.
//
// A task that blocks its goroutine keeps one worker. If all workers are kept so
// while something is queued, the Pool stands still, and reports it: see OnStall.
//
// All methods may be called from any goroutine and any task.
type Pool struct {
	workers []*worker
	hints   sync.Pool
	closing atomic.Bool
	open    atomic.Bool // there are workers
	_       pad
	inject  queue // what comes from no worker
	parking parking
	census  census
	failed  failures
	lookout lookout
	away    atomic.Int32 // goroutines that lost their place as a worker and still run their item

	mu      sync.Mutex
	refused []Refusal

	done sync.WaitGroup // workers that have not returned
}

// NewPool starts a Pool of that many workers; 0 means runtime.GOMAXPROCS(0). Its
// goroutines run until Close. Error: *WorkersError.
func NewPool(workers int) (*Pool, error) {
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	if workers < 1 || workers > MaxWorkers {
		return nil, &WorkersError{workers}
	}
	p := new(Pool)
	p.census.init()
	for range workers {
		p.workers = append(p.workers, newWorker(p))
	}
	p.lookout.init(p, &p.open)
	p.open.Store(true)
	p.lookout.start()
	for _, w := range p.workers {
		p.done.Go(w.work)
	}
	return p, nil
}

// OnFailure has f called, on a worker, with the error of each task that Go has
// started and that panicked or could not be started, and with a *PanicError for
// what else panics. Without it, or with nil, Wait and Close return these errors.
func (p *Pool) OnFailure(f func(error)) { p.failed.setNotify(f) }

// Post queues h. Errors: ErrClosed; resume.ErrStale if h is stale already.
func (p *Pool) Post(h resume.Handle) error {
	if !h.Live() {
		return resume.ErrStale
	}
	return p.post(p.near(), item{h: h}, false)
}

// Publish queues h; if the Pool is closed, it resumes h on the spot. It makes
// the Pool a resume.Publisher: t.SuspendTo(p) waits for t's turn, and
// ctx.WithHome(p) starts a task that always goes on here.
func (p *Pool) Publish(h resume.Handle) { comeHome(p, h) }

// Do queues a call of f, which must not suspend: it is on no task. Errors:
// ErrNilFunc, ErrClosed.
func (p *Pool) Do(f func()) error {
	if f == nil {
		return ErrNilFunc
	}
	if p.closing.Load() {
		return ErrClosed
	}
	return p.post(p.near(), item{call: plain(f)}, false)
}

// Go queues the start of a task. Its home is the Pool: wherever it is resumed,
// it goes on here. The storage of its stack is taken when its turn comes.
//
// Errors: ctx.ErrNilBody, ErrClosed. Those of ctx.Spawn are reported as OnFailure
// says.
func (p *Pool) Go(body func(t *ctx.Task), opts ...ctx.Option) error {
	c, err := newStart(body, opts)
	if err != nil {
		return err
	}
	if p.closing.Load() {
		return ErrClosed
	}
	q := p.near()
	p.census.add(&q.count, 1)
	if err := p.post(q, item{call: c}, true); err != nil {
		p.census.leave(&q.count, 1)
		return err
	}
	return nil
}

// Yield lets others run before the current task t goes on. Errors: those of
// Task.Park.
func (p *Pool) Yield(t *ctx.Task) error {
	if t == nil {
		return resume.ErrNotOnTask
	}
	return parkAt(p, t, p)
}

// post queues it, and sees to it that somebody comes for it.
func (p *Pool) post(q *queue, it item, fresh bool) error {
	if !q.add(it, fresh) {
		return ErrClosed
	}
	p.parking.notify()
	return nil
}

// Wait blocks until every task that Go started has ended, and returns their
// failures as one error. Of several callers one gets each failure. Error:
// ErrInside on a task whose home is the Pool.
func (p *Pool) Wait() error {
	if p.inside() {
		return ErrInside
	}
	p.census.wait()
	return p.failed.take()
}

// Close takes nothing new: Go and Do return ErrClosed from now on. It runs what
// is queued, and goes on to take handles, until nothing is queued and nothing runs.
// Then it ends the workers, and returns what Wait does. A task that comes home
// after that goes on where it was resumed; Post returns ErrClosed.
//
// Close does not wait for tasks that are suspended elsewhere. Who wants them
// to end calls Wait before it, or has their owners cancel them. Any number of
// calls of Close wait for the same end. Error: ErrInside on a task whose home is
// the Pool.
func (p *Pool) Close() error {
	if p.inside() {
		return ErrInside
	}
	p.close()
	p.done.Wait()
	return p.failed.take()
}

func (p *Pool) inside() bool {
	t := ctx.Current()
	if t == nil {
		return false
	}
	home, ok := t.Home().(*Pool)
	return ok && home == p
}

// refuse keeps h, if it is h that could not be resumed: the error may be that
// of somebody whom its task has transferred to.
func (p *Pool) refuse(h resume.Handle, err error) {
	if !h.Live() {
		p.failed.add(err)
		return
	}
	p.mu.Lock()
	p.refused = append(p.refused, Refusal{h, err})
	p.mu.Unlock()
}

// Refused returns the handles that no worker could resume, and forgets them.
func (p *Pool) Refused() []Refusal {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.refused
	p.refused = nil
	return r
}

// Stats returns counts. While the Pool works, they are of slightly different
// moments, Parked of the first. But Tasks is 0 only if at one moment there was none.
func (p *Pool) Stats() Stats {
	s := Stats{Parked: int(p.parking.n.Load())}
	busy := p.census.busy.Load() != 0
	p.inject.addTo(&s)
	for _, w := range p.workers {
		w.addTo(&s)
	}
	switch {
	case !busy:
		s.Tasks = 0
	case s.Tasks == 0:
		s.Tasks = 1
	}
	return s
}
