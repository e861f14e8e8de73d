package fuzz

// do has a begin o, an operation of its frame f. The result is in a.result when
// f is topmost again, if nothing unwinds it.
func (m *machine) do(a *actor, f *script, o op) {
	a.result = isOK
	if a.depth >= maxDepth && nests(o.kind) {
		a.result = isTooDeep
		return
	}
	if a.publishing != 0 && suspends(o.kind) {
		a.result = isPublishing
		return
	}
	switch o.kind {
	case opSpawn:
		m.spawn(a, o)
	case opYield:
		m.suspend(a, post{kind: postYield})
	case opSuspend:
		m.suspend(a, post{kind: postSuspend, script: m.prog.publishes(o.a)})
	case opResume:
		m.resume(a, o)
	case opHandle:
		m.resumeHandle(a, o)
	case opTransfer:
		m.transferHandle(a, o, post{kind: postYield})
	case opHandOver:
		m.transferHandle(a, o, post{kind: postSuspend, script: m.prog.publishes(o.b)})
	case opCancel:
		switch t := m.task(o.a); {
		case t == nil:
			a.result = isNone
		case t.arm != nil && !t.beneath(a):
			a.result = isArm
		default:
			m.cancel(a, t, causeOf(o.b))
		}
	case opHere:
		m.here(a)
	case opDefer:
		f.deferred = append(f.deferred, o)
	case opCall:
		a.pushScript(m.prog.scripts[m.prog.script(o.a)])
	case opPanic:
		if a.plain() {
			a.result = isPlain
			return
		}
		a.throw(valueNames[o.a%values])
	case opGoexit:
		if a.plain() {
			a.result = isPlain
			return
		}
		a.goexit()
	case opWait:
		m.wait(a, o)
	case opFree:
		m.free(a, o)
	case opLook:
		if t := m.task(o.a); t == nil {
			a.result = isNone
		} else {
			a.result = t.look()
		}
	case opLive:
		if n, ok := m.handle(o.a); !ok {
			a.result = isNone
		} else {
			a.result = truth(m.handles[n].live())
		}
	case opAgain:
		if f.again < maxAgain {
			f.again++
			f.pc, f.busy = 0, false
			m.emit(a, o.kind.String(), int(o.a), isOK)
		}
	case opReturn:
		f.over, f.busy = true, false
	case opElsewhere:
		m.elsewhere(a, o)
	case opJoin:
		m.join(a, o)
	}
}

// nests reports whether an operation can put frames on top of those of who does
// it.
func nests(k kind) bool {
	switch k {
	case opSpawn, opResume, opHandle, opCancel, opCall, opWait, opElsewhere, opJoin:
		return true
	}
	return false
}

// suspends reports whether an operation can suspend who does it.
func suspends(k kind) bool {
	switch k {
	case opYield, opSuspend, opTransfer, opHandOver, opHere, opWait, opJoin, opPanic, opGoexit:
		return true
	}
	return false
}

// suspend parks a, if it may.
func (m *machine) suspend(a *actor, p post) {
	switch {
	case a.plain():
		a.result = isPlain
	case a.state == unwinding:
		a.throw(isUnwinding)
	default:
		m.park(a, p)
	}
}

func (m *machine) resume(a *actor, o op) {
	t := m.task(o.a)
	if t == nil {
		a.result = isNone
		return
	}
	switch t.state {
	case yielded:
		t.state = running
		m.run(a, t)
	case armed:
		a.result = isNotYielded
	case running, unwinding:
		a.result = isRunning
	case dying:
		a.result = isUnwinding
	case done:
		a.result = isDone
	}
}

func (m *machine) resumeHandle(a *actor, o op) {
	n, ok := m.handle(o.a)
	switch {
	case !ok:
		a.result = isNone
	case !m.handles[n].live():
		a.result = isStale
	default:
		t := m.handles[n].task
		t.state = running
		m.run(a, t)
	}
}

func (m *machine) transferHandle(a *actor, o op, p post) {
	n, ok := m.handle(o.a)
	switch {
	case !ok:
		a.result = isNone
	case a.plain():
		a.result = isPlain
	case a.state == unwinding:
		a.result = isUnwinding
	case !m.handles[n].live():
		a.result = isStale
	default:
		m.transfer(a, m.handles[n].task, p)
	}
}

func (m *machine) free(a *actor, o op) {
	t := m.task(o.a)
	switch {
	case t == nil:
		a.result = isNone
	case t.arm != nil:
		a.result = isArm
	case t.waited != 0:
		a.result = isAwaited
	case t.state != done:
		a.result = isNotDone
	default:
		t.state = none
	}
}

func (m *machine) elsewhere(a *actor, o op) {
	m.plains++
	g := &actor{number: -m.plains}
	g.push(&goroutine{a})
	k := elsewhere[int(o.a)%len(elsewhere)]
	g.pushScript([]op{{k, o.b, o.a}})
	m.cur = g
}

// A goroutine is the outermost frame of one.
type goroutine struct{ starter *actor }

func (f *goroutine) step(m *machine, g *actor) {
	f.starter.result = isOK
	m.cur = f.starter
}

// unwind: whatever panics there is told to the starter.
func (f *goroutine) unwind(m *machine, g *actor) {
	f.starter.result = g.unwind.name()
	m.cur = f.starter
}

func truth(b bool) string {
	if b {
		return isTrue
	}
	return isFalse
}
