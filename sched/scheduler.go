package sched

import (
	"sync"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
)

// A Scheduler continues suspended tasks, in an order and on a goroutine of its
// own choice. Loop and Pool are two; a user's own needs this method only.
type Scheduler interface {
	// Post queues h. It does not run the task, and does not wait. Any goroutine
	// may call it. After an error h was not queued, and is as live as before.
	Post(h resume.Handle) error
}

// A Detour continues a task on another scheduler than the caller's goroutine.
// It is a resume.Resumer, used where a handle would be.
type Detour struct {
	s Scheduler
	h resume.Handle
}

// Via makes the Resumer that puts h on s, whoever uses it. A lock that stores it
// instead of h hands its waiter to s, and knows nothing of s.
//
// A Detour is a value: keeping it as such allocates nothing, keeping it as a
// resume.Resumer allocates its copy.
func Via(s Scheduler, h resume.Handle) Detour { return Detour{s, h} }

// Resume queues the handle on the scheduler and returns; the task runs later.
// Used twice it returns resume.ErrStale, or queues the handle once more if its
// turn has not come; of the two one runs the task. Errors: ErrNilScheduler,
// resume.ErrStale, those of the scheduler's Post.
func (d Detour) Resume() error {
	switch {
	case d.s == nil:
		return ErrNilScheduler
	case !d.h.Live():
		return resume.ErrStale
	}
	return d.s.Post(d.h)
}

// On moves t, which must be the caller's task, onto s: it suspends t, queues it,
// and returns when its turn has come, on the goroutine that s runs it on. From
// then on s is t's home: from whatever wait t is resumed, it goes on on s.
//
// Errors: resume.ErrNotOnTask, ErrNilScheduler, those of Task.Park and of the
// scheduler's Post. t goes on where it is then, and its home is what it was.
func On(s Scheduler, t *ctx.Task) error {
	switch {
	case t == nil:
		return resume.ErrNotOnTask
	case s == nil:
		return ErrNilScheduler
	}
	hop := hops.Get().(*hop)
	hop.s = s
	err := parkHere(t, hop)
	if err == nil {
		err = hop.err
	}
	hop.s, hop.err = nil, nil
	hops.Put(hop)
	if err == nil {
		t.SetHome(homeOf(s))
	}
	return err
}

// A hop is a task on its way to a scheduler.
type hop struct {
	s   Scheduler
	err error // of Post: the task has not left
}

var hops = sync.Pool{New: func() any { return new(hop) }}

// Publish queues the task. If that succeeds the hop is the task's again, at once.
func (p *hop) Publish(h resume.Handle) {
	if err := p.s.Post(h); err != nil {
		p.err = err
		_ = h.Resume() // stale: the task was cancelled meanwhile, and does not return from On
	}
}

// homeOf is what has tasks go on on s.
func homeOf(s Scheduler) resume.Publisher {
	if p, ok := s.(resume.Publisher); ok {
		return p
	}
	return home{s}
}

// A home is the home of tasks on a scheduler that has no Publish.
type home struct{ s Scheduler }

func (p home) Publish(h resume.Handle) { comeHome(p.s, h) }

// comeHome queues h on s. If s refuses, the task goes on where it is.
func comeHome(s Scheduler, h resume.Handle) {
	if s.Post(h) != nil {
		_ = h.Resume()
	}
}

// parkAt is t.Park for a wait after which t is resumed by s itself: if s is t's
// home, it need not go home first.
func parkAt(s resume.Publisher, t *ctx.Task, p resume.Publisher) error {
	if t.Home() != s {
		return t.Park(p)
	}
	return parkHere(t, p)
}

// parkHere is t.Park, but does not go home.
func parkHere(t *ctx.Task, p resume.Publisher) error {
	home := t.Home()
	t.SetHome(nil)
	err := t.Park(p)
	t.SetHome(home)
	return err
}
