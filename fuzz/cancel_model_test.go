package fuzz

// A request is a cancel: a mark has it, and all below.
type request struct{ name string }

func (r *request) String() string { return r.name }

// cancel has a ask t to end, and unwind what is suspended.
func (m *machine) cancel(a, t *actor, c cause) { m.cancelFor(a, t, &request{causeNames[c]}) }

func (m *machine) cancelFor(a, t *actor, r *request) {
	if t.state == done {
		return
	}
	mark(t, r)
	a.push(&cancelling{t: t, top: t})
}

// mark marks t and all below it. First causes stay.
func mark(t *actor, r *request) {
	if t.mark != nil {
		return // and so has all below
	}
	t.mark = r
	for _, c := range t.children {
		mark(c, r)
	}
}

// cancelling unwinds what can be of the tree at t, one after another; of all
// below t if top is nil.
type cancelling struct {
	t, top *actor
	victim *actor
}

func (f *cancelling) step(m *machine, a *actor) {
	if f.victim != nil && f.victim == f.top {
		f.finish(a, isOK)
		return
	}
	f.victim = victim(f.t, f.top)
	switch {
	case f.victim != nil:
		m.unwindTask(a, f.victim)
	case f.top == nil && len(f.t.children) == 0, f.top != nil && f.top.ended():
		f.finish(a, isOK)
	default:
		f.finish(a, isPending)
	}
}

func (f *cancelling) finish(a *actor, result string) {
	a.pop()
	a.result = result
}

func (f *cancelling) unwind(_ *machine, a *actor) { a.pop() }

// victim takes the next task to unwind: children before parents, the last
// first. Suspended ones that have to wait for children are nobody's from now on.
func victim(t, top *actor) *actor {
	for i := len(t.children) - 1; i >= 0; i-- {
		c := t.children[i]
		if v := victim(c, c); v != nil {
			return v
		}
	}
	if top == nil {
		return nil
	}
	switch {
	case t.state.suspended() && len(t.children) != 0:
		t.state = dying
	case t.state.suspended(), t.state == dying && len(t.children) == 0:
		t.state = unwinding
		return t
	}
	return nil
}

// unwindTask has a run the deferred calls of t.
func (m *machine) unwindTask(a, t *actor) {
	t.state = unwinding
	t.goexit()
	m.run(a, t)
}

// resign is what the resumer does with a task that was asked to end and has
// just suspended: unwind what is below, then the task itself.
type resign struct {
	s     *actor
	below bool // all below has been dealt with
	mine  bool // and s itself
}

func (f *resign) step(m *machine, a *actor) {
	switch {
	case !f.below:
		f.below = true
		a.push(&cancelling{t: f.s})
	case !f.mine:
		f.mine = true
		if len(f.s.children) != 0 {
			f.s.state = dying // until the last child ends
			return
		}
		m.unwindTask(a, f.s)
	default:
		a.pop()
	}
}

func (f *resign) unwind(_ *machine, a *actor) { a.pop() }

// here unwinds a at once if it was asked to end.
func (m *machine) here(a *actor) {
	switch {
	case a.plain() || a.mark == nil || a.state == unwinding:
	case len(a.children) == 0:
		a.state = unwinding
		a.goexit()
	default:
		m.park(a, post{kind: postSuspend}) // what publishes is not called
	}
}
