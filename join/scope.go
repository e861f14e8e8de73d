package join

import (
	"errors"
	"sync"

	"github.com/stackhop/stackhop/cancel"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
)

// A Scope starts arms one by one, and none of them outlives the Within that made
// it. As soon as one fails, the others are cancelled, from the goroutine that ran it;
// so they are if the function that Within runs fails.
//
// Go is for the owner, which is the caller of Within, and for the arms; if the owner
// is no task, for any goroutine. Wait is the owner's. Err is anybody's.
type Scope struct {
	g     *group
	owner *ctx.Task
	size  Size

	mu     sync.Mutex // guards what follows
	last   *member    // the one started last; others by prev
	free   *member    // by prev
	err    error      // the first
	cause  *cancel.Error
	closed bool
}

// A member is one arm of a Scope.
type member struct {
	s          *Scope
	fn         func(t *ctx.Task) error
	body       func(t *ctx.Task)
	err        error
	task       *ctx.Task // once Spawn has returned
	ended      bool
	asked      bool // its cancel was asked for
	cancelling bool // somebody is about to
	prev, next *member
}

// errAborted is why the arms of a scope are cancelled whose function panics.
var errAborted = errors.New("join: the scope's function has panicked or was ended")

// Within calls f with a new Scope, and returns when f has returned and all that
// it has started has ended. It returns the first error, of f or an arm. If f panics,
// or is unwound, the arms are cancelled, and Within waits for them all the same.
func Within(f func(s *Scope) error) error { return Size(0).Within(f) }

// Within is the function Within, with stacks of size s for the arms.
func (s Size) Within(f func(s *Scope) error) error {
	sc := &Scope{size: s}
	g := open(firstError, int(s), 0)
	g.scope, sc.g, sc.owner = sc, g, g.parent
	returned := false
	defer func() {
		if !returned {
			sc.fail(errAborted)
		}
		sc.close()
	}()
	err := f(sc)
	returned = true
	if err != nil {
		sc.fail(err)
	}
	return sc.wait()
}

// Go runs body as a task of its own, up to its first suspension, with the options
// given, which replace the scope's Size. After the first failure it does nothing. If
// the task cannot be made, the scope fails with the error. Go panics once Within
// has returned.
func (s *Scope) Go(body func(t *ctx.Task) error, opts ...ctx.Option) {
	m := s.member(body)
	switch {
	case m == nil:
	case body == nil:
		_ = m.end(ctx.ErrNilBody).Resume()
	case s.own():
		s.goOwn(m, opts)
	default:
		s.goElse(m, opts)
	}
}

// with adds the scope's own options to the caller's, in buf if they fit.
func (m *member) with(buf []ctx.Option, opts []ctx.Option, kin, storage ctx.Option) []ctx.Option {
	buf = append(append(buf, opts...), ctx.WithOnEnd(m), kin)
	if len(opts) == 0 {
		buf = append(buf, storage)
	}
	return buf
}

// own reports whether the caller is a task, and the scope's.
func (s *Scope) own() bool {
	return s.owner != nil && ctx.Current() == s.owner
}

// goOwn starts m on the owner, with its storage.
func (s *Scope) goOwn(m *member, opts []ctx.Option) {
	g := s.g
	var kin, storage ctx.Option
	g.kin(&kin)
	if len(opts) == 0 {
		g.lent.get(g.size)
		g.storage(&storage)
	}
	var buf [4]ctx.Option
	t, err := ctx.Spawn(m.body, m.with(buf[:0], opts, kin, storage)...)
	k := g.lent.given
	g.lent.given = nil
	if err != nil {
		g.lent.idle = k
		body := m.fn
		m.drop()
		if g.unwinds(err) {
			s.Go(body, opts...)
		} else {
			s.fail(err)
		}
	} else if m.started(t) {
		g.lent.idle = k
	}
}

// goElse starts m on an arm, or on a goroutine.
func (s *Scope) goElse(m *member, opts []ctx.Option) {
	var kin, storage ctx.Option
	if s.owner != nil {
		kin = ctx.WithParent(s.owner)
	}
	if s.size != 0 {
		storage = ctx.WithStackSize(int(s.size))
	}
	var buf [4]ctx.Option
	if t, err := ctx.Spawn(m.body, m.with(buf[:0], opts, kin, storage)...); err != nil {
		_ = m.end(err).Resume()
	} else {
		m.started(t)
	}
}

// Wait returns when all arms have ended that were started until then, and the
// error of the first that failed. After that without an error, Go may start more.
// Errors besides: ErrNotOwner, also once Within has returned, and those of a caller
// that cannot wait.
func (s *Scope) Wait() error {
	if s.owner != ctx.Current() || s.ended() {
		return ErrNotOwner
	}
	return s.wait()
}

func (s *Scope) ended() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

func (s *Scope) wait() error {
	s.g.wait()
	if err := s.Err(); err != nil {
		return err
	}
	return s.g.stuck
}

// Err returns the first error so far, or nil.
func (s *Scope) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// fail makes err the scope's, unless it has failed before, and cancels the arms.
func (s *Scope) fail(err error) {
	s.mu.Lock()
	s.failed(err)
	s.mu.Unlock()
	s.cancelRest()
}

// failed is fail, with the lock held.
func (s *Scope) failed(err error) {
	if s.cause == nil {
		s.err = err
		s.giveUp(err)
	}
}

// giveUp has arms cancelled for err, with the lock held.
func (s *Scope) giveUp(err error) {
	if s.cause != nil {
		return
	}
	if asked, ok := err.(*cancel.Error); ok {
		s.cause = asked
	} else {
		s.cause = &cancel.Error{Cause: err}
	}
}

// cancelRest cancels the arms that have not ended, the one started last first.
// Those that are being started are left to started.
func (s *Scope) cancelRest() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for m := s.last; m != nil; {
		if m.asked || m.task == nil {
			m = m.prev
			continue
		}
		m.asked, m.cancelling = true, true
		s.mu.Unlock()
		_ = m.task.Cancel(s.cause)
		s.mu.Lock()
		if m.cancelling = false; m.ended {
			m.recycle()
		}
		m = s.last
	}
}

// close waits for what is left, and ends the scope.
func (s *Scope) close() {
	if s.g.parking {
		s.g.unpark()
	}
	for !s.closed {
		s.g.wait()
		s.mu.Lock()
		s.closed = s.g.word.Load()&leftMask == 0 // else somebody has called Go
		s.mu.Unlock()
	}
	s.g.scope = nil
	s.g.close()
}

// member returns the record of the next arm, or nil after a failure.
func (s *Scope) member(body func(t *ctx.Task) error) *member {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		panic("join: Go on a scope whose Within has returned")
	case s.cause != nil:
		return nil
	}
	m := s.free
	if m == nil {
		m = &member{s: s}
		m.body = func(t *ctx.Task) { m.err = m.fn(t) }
	} else {
		s.free = m.prev
	}
	m.fn, m.err, m.ended, m.asked = body, nil, false, false
	m.prev, m.next = s.last, nil
	if s.last != nil {
		s.last.next = m
	}
	s.last = m
	s.g.word.Add(1)
	return m
}

// started notes the task, and reports whether it has ended. A scope that has failed
// meanwhile did not find it: then it is cancelled here.
func (m *member) started(t *ctx.Task) (ended bool) {
	s := m.s
	s.mu.Lock()
	m.task = t
	ended = m.ended
	if ended {
		m.recycle()
	}
	cancelled := s.cause != nil && !ended
	s.mu.Unlock()
	if cancelled {
		s.cancelRest()
	}
	return ended
}

// TaskEnded makes the member an ender of its task.
func (m *member) TaskEnded(t *ctx.Task) resume.Handle {
	err := t.Err()
	if err == nil {
		err = m.err
	}
	return m.end(err)
}

// end counts the arm down. It may serve again after that.
func (m *member) end(err error) resume.Handle {
	s := m.s
	s.mu.Lock()
	first := err != nil && s.cause == nil
	if first {
		s.failed(err)
	}
	m.leave()
	s.mu.Unlock()
	h := s.g.end(0, false)
	if first {
		s.cancelRest() // may end the scope, on top of this
	}
	return h
}

// drop counts an arm down that the owner could not start.
func (m *member) drop() {
	s := m.s
	s.mu.Lock()
	m.leave()
	s.mu.Unlock()
	s.g.end(0, false)
}

// leave unlinks an arm that has ended, with the lock held.
func (m *member) leave() {
	m.ended = true
	if m.prev != nil {
		m.prev.next = m.next
	}
	if m.next != nil {
		m.next.prev = m.prev
	} else {
		m.s.last = m.prev
	}
	m.prev, m.next = nil, nil
	if m.task != nil && !m.cancelling {
		m.recycle()
	}
}

// recycle makes an arm that has ended, and its task, free, with the lock held.
func (m *member) recycle() {
	_ = m.task.Free() // it was ours
	m.task, m.fn = nil, nil
	m.prev, m.s.free = m.s.free, m
}
