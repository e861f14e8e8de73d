package fuzz

// run is the frame of a resumer: it waits for s, and when that has parked does
// what s asks for. A task that is run in s's place is waited for in turn.
type run struct {
	s     *actor
	phase phase
	next  *actor // to run in the place of s
}

type phase uint8

const (
	phaseParked phase = iota // s runs; once here again it has parked
	phaseNext                // run next
	phaseReturn              // nothing is left to do
)

// run has a run s from where that has parked, and wait for it.
func (m *machine) run(a, s *actor) {
	a.push(&run{s: s})
	m.enter(a, s)
}

func (r *run) step(m *machine, a *actor) {
	switch r.phase {
	case phaseParked:
		r.parked(m, a)
	case phaseNext:
		if r.next == nil {
			r.phase = phaseReturn
			return
		}
		r.s, r.next, r.phase = r.next, nil, phaseParked
		m.enter(a, r.s)
	case phaseReturn:
		a.pop()
		a.result = isOK
	}
}

func (r *run) parked(m *machine, a *actor) {
	s := r.s
	p := s.post
	s.post = post{}
	r.phase = phaseReturn
	switch p.kind {
	case postYield:
		m.give(a, s, yielded)
	case postSuspend:
		m.publish(a, s, p)
	case postWait:
		s.gen++
		if m.give(a, s, armed) && p.wait != nil {
			p.wait.waiters = append(p.wait.waiters, s)
		}
	case postChildren:
		s.gen++
		s.awaits = m.give(a, s, armed)
	case postEnd:
		r.phase = phaseNext
		a.push(&ending{s: s, run: r})
	}
}

func (r *run) unwind(_ *machine, a *actor) { a.pop() }

// transfer has t go on in a's place. What a asks for is done by t, before all else.
func (m *machine) transfer(a, t *actor, p post) {
	t.state = running
	a.post = p
	t.push(&takeover{a})
	a.resumer.top().(*run).s = t
	t.resumer, a.resumer = a.resumer, nil
	m.cur = t
}

// takeover is what a task does first to which from has transferred.
type takeover struct{ from *actor }

func (f *takeover) step(m *machine, a *actor) {
	if f.from == nil {
		a.pop()
		a.result = isOK
		return
	}
	s, p := f.from, f.from.post
	f.from, s.post = nil, post{}
	if p.kind == postYield {
		m.give(a, s, yielded)
	} else {
		m.publish(a, s, p)
	}
}

func (f *takeover) unwind(_ *machine, a *actor) { a.pop() }

// publish arms s and has a run the publish function.
func (m *machine) publish(a, s *actor, p post) {
	s.gen++
	if !m.give(a, s, armed) {
		return
	}
	m.handles = append(m.handles, handle{s, s.gen})
	m.emit(a, "publish", len(m.handles)-1, "")
	a.pushScript(p.script).isPublish = true
	a.publishing++
}

// give lets go of s, unless it was asked to end: then a unwinds it.
func (m *machine) give(a, s *actor, to state) bool {
	s.state = to
	if s.mark == nil {
		return true
	}
	s.state = running
	a.push(&resign{s: s})
	return false
}

// spawn starts the next task.
func (m *machine) spawn(a *actor, o op) {
	if m.open() >= maxOpen {
		a.result = isTooMany
		return
	}
	c := choiceOf(o)
	var p *actor
	switch {
	case c.parent == parentSelf && !a.plain():
		p = a
	case c.parent == parentOther:
		p = m.task(o.b)
	}
	t := &actor{number: firstTask + len(m.tasks), owned: -1}
	m.tasks = append(m.tasks, t) // none until it is started
	if p != nil && !p.beneath(a) {
		a.result = isRefused
		return
	}
	if own := c.storage - firstOwn; own >= 0 {
		if m.owned[own] {
			a.result = isInUse
			return
		}
		t.owned = own
	}
	if p != nil {
		p.family = true
		switch {
		case p.mark != nil:
			a.result = p.mark.String()
			return
		case p.closed:
			a.result = causeNames[parentEnded]
			return
		}
		t.parent = p
		p.children = append(p.children, t)
	}
	if t.owned >= 0 {
		m.owned[t.owned] = true
	}
	t.onEnd, t.endPick = c.onEnd, o.a
	t.push(&base{})
	t.push(&start{m.prog.script(o.a)})
	if c.lazy {
		t.state = yielded
		return
	}
	t.state = running
	m.run(a, t)
}

// beneath reports whether t is a or one that a descends from.
func (t *actor) beneath(a *actor) bool {
	for ; a != nil && a != t; a = a.parent {
	}
	return a == t
}

// A start is the frame of a body that has not begun. To unwind it leaves no
// trace.
type start struct{ script int }

func (f *start) step(m *machine, a *actor) {
	a.pop()
	m.emit(a, "begin", f.script, "")
	a.pushScript(m.prog.scripts[f.script])
}

func (f *start) unwind(_ *machine, a *actor) { a.pop() }
