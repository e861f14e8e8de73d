package fuzz

// An outcome is how a body ended: all zero if it returned.
type outcome struct {
	goexit   bool
	panicked bool
	value    string   // of the panic
	cancel   *request // it was unwound, whether it panicked then or not
}

func (o outcome) String() string {
	switch {
	case o.panicked && o.cancel != nil:
		return "panic " + o.value + " in " + o.cancel.String()
	case o.panicked:
		return "panic " + o.value
	case o.cancel != nil:
		return o.cancel.String()
	case o.goexit:
		return isGoexit
	}
	return isOK
}

// look tells what anybody can see of t.
func (t *actor) look() string {
	switch {
	case !t.known():
		return isNone
	case t.state == done:
		return "done: " + t.outcome.String()
	case t.mark != nil:
		return "asked: " + t.mark.String()
	}
	return "open"
}

// A base is a task's outermost frame: it notes how the body ended, and ends the
// children that it left.
type base struct {
	over      bool
	requested bool
}

func (b *base) step(m *machine, a *actor) {
	b.over, a.over = true, true
	switch {
	case !a.family:
	case !b.requested:
		b.requested, a.closed = true, true
		for i := len(a.children) - 1; i >= 0; i-- {
			mark(a.children[i], &request{causeNames[parentEnded]})
		}
		a.push(&cancelling{t: a})
		return
	case len(a.children) != 0:
		if a.state != unwinding {
			m.park(a, post{kind: postChildren})
			return
		}
	}
	m.park(a, post{kind: postEnd})
}

func (b *base) unwind(m *machine, a *actor) {
	u := a.unwind
	a.unwind = nil
	switch {
	case b.over: // cancelled while it waited for children: the outcome stays
		m.park(a, post{kind: postEnd})
		return
	case !u.exit:
		a.outcome.panicked, a.outcome.value = true, u.value
	case a.state != unwinding:
		a.outcome.goexit = true
	}
	if a.state == unwinding {
		a.outcome.cancel = a.mark
	}
	b.step(m, a)
}

// ending is what the resumer does when the body of s is over and its frames
// are gone. Of all whom the end of s leads to, one after another, the last runs in
// the place of s; each is taken before the one before it runs.
type ending struct {
	s     *actor
	run   *run
	phase int
	awake *actor // the parent, which waits for its children
	kill  *actor // the parent, which waits for them in order to unwind
}

func (f *ending) step(m *machine, a *actor) {
	s := f.s
	f.phase++
	switch f.phase {
	case 1:
		f.leave()
		if s.owned >= 0 {
			m.owned[s.owned] = false
		}
		s.state = done
	case 2:
		if s.arm != nil {
			if p := s.armEnded(); p != nil && p.state == armed {
				f.then(m, a, p)
			}
			return
		}
		if !s.onEnd {
			return
		}
		m.emit(a, "ended", s.number-firstTask, s.look())
		if n, ok := m.handle(s.endPick); ok && m.handles[n].live() {
			f.then(m, a, m.handles[n].task)
		}
	case 3:
		if len(s.waiters) == 0 {
			return
		}
		f.phase--
		w := s.waiters[0]
		s.waiters = s.waiters[1:]
		if w.state == armed {
			f.then(m, a, w)
		}
	case 4:
		if p := f.awake; p != nil && p.state == armed {
			f.then(m, a, p)
		}
		if f.kill != nil {
			f.kill.goexit()
			f.then(m, a, f.kill)
			f.kill = nil
		}
	case 5:
		a.pop()
	}
}

// then takes t, to run after whoever was taken before.
func (f *ending) then(m *machine, a, t *actor) {
	if t != f.kill {
		t.state = running
	}
	last := f.run.next
	f.run.next = t
	if last != nil {
		m.run(a, last)
	}
}

func (f *ending) leave() {
	p := f.s.parent
	if p == nil {
		return
	}
	f.s.parent = nil
	p.children = remove(p.children, f.s)
	switch {
	case len(p.children) != 0:
	case p.mark != nil && (p.state.suspended() || p.state == dying):
		p.state = unwinding
		f.kill = p
	case p.state == armed && p.awaits:
		f.awake = p
	}
}

func (f *ending) unwind(_ *machine, a *actor) { a.pop() }

// wait has a wait for a task.
func (m *machine) wait(a *actor, o op) {
	t := m.task(o.a)
	switch {
	case t == nil:
		a.result = isNone
	case t.arm != nil:
		a.result = isArm
	case t.state == done:
		a.result = t.outcome.String()
	case a.plain():
		a.result = isBlocked
	case t == a:
		a.result = isRunning
	case m.waits == maxWaits:
		a.result = isTooMany
	default:
		m.waits++
		if a.state == unwinding {
			a.result = isUnwinding
			return
		}
		t.waited++
		a.push(&waiting{t})
		m.park(a, post{kind: postWait, wait: t})
	}
}

// waiting is the frame of a Wait.
type waiting struct{ t *actor }

func (f *waiting) step(_ *machine, a *actor) {
	f.t.waited--
	a.pop()
	a.result = f.t.outcome.String()
}

func (f *waiting) unwind(_ *machine, a *actor) {
	f.t.waited--
	f.t.waiters = remove(f.t.waiters, a)
	a.pop()
}
