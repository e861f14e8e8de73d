package fuzz

// An unwind is what runs frames down: a panic, or a Goexit.
type unwind struct {
	exit      bool   // a Goexit, which nothing stops
	value     string // of the panic
	recovered bool   // by the deferred call that now runs
	overExit  bool   // a panic that left a deferred call which a Goexit ran
}

func (u *unwind) name() string {
	if u.exit {
		return isGoexit
	}
	return "panic " + u.value
}

// A script is the frame of a call that runs operations, and Go's rules of what
// happens to it.
type script struct {
	ops      []op
	pc       int
	again    int
	busy     bool // the operation before pc waits for its result
	over     bool // no more operations, only deferred calls
	deferred []op

	isPublish  bool
	isDeferred bool
	during     *unwind // a deferred call: what ran it, nil if the frame below returned
}

func (a *actor) pushScript(ops []op) *script {
	f := &script{ops: ops}
	a.push(f)
	a.depth++
	return f
}

func (f *script) step(m *machine, a *actor) {
	switch {
	case f.busy:
		f.busy = false
		o := f.ops[f.pc-1]
		m.emit(a, o.kind.String(), int(o.a), a.result)
	case f.over:
		f.finish(m, a)
	case f.pc == len(f.ops) || !m.burn():
		f.over = true
	default:
		o := f.ops[f.pc]
		f.pc++
		f.busy = true
		m.do(a, f, o)
	}
}

// finish makes the next deferred call, or returns.
func (f *script) finish(m *machine, a *actor) {
	if len(f.deferred) != 0 {
		f.callDeferred(m, a, nil)
		return
	}
	a.pop()
	a.result = isOK
	if !f.isDeferred || f.during == nil {
		return
	}
	if !f.during.recovered {
		a.unwind = f.during
		return
	}
	if f.during.overExit { // the panic is gone, and the Goexit goes on
		a.unwind = &unwind{exit: true}
		return
	}
	below := a.top().(*script)
	below.over, below.busy = true, false
}

// unwind makes the next deferred call, or takes the frame away.
func (f *script) unwind(m *machine, a *actor) {
	if len(f.deferred) != 0 {
		u := a.unwind
		a.unwind = nil
		f.callDeferred(m, a, u)
		return
	}
	a.pop()
	if f.isDeferred && f.during != nil && (f.during.exit || f.during.overExit) {
		a.unwind.overExit = true
	}
}

func (f *script) callDeferred(m *machine, a *actor, u *unwind) {
	o := f.deferred[len(f.deferred)-1]
	f.deferred = f.deferred[:len(f.deferred)-1]
	result := ""
	if o.b&1 != 0 {
		result = isRecoverNone
		if u != nil && !u.exit {
			u.recovered = true
			result = u.value
		}
	}
	n := m.prog.script(o.a)
	m.emit(a, "deferred", n, result)
	ops := m.prog.scripts[n]
	a.deferreds++
	if a.depth >= maxDepth || a.deferreds > maxDeferred && !a.plain() {
		ops = nil // or one that defers itself would never end
	}
	d := a.pushScript(ops)
	d.isDeferred, d.during = true, u
}

// throw begins a panic of a.
func (a *actor) throw(value string) { a.unwind = &unwind{value: value} }

// goexit begins a Goexit of a.
func (a *actor) goexit() { a.unwind = &unwind{exit: true} }
