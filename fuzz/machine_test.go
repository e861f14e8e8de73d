package fuzz

import "slices"

// The machine is the model: a pure state machine, without goroutines, switches,
// panics or deferred calls of its own. All that is suspended is data.
//
// Exactly one actor is current. The others wait for somebody they run, are
// suspended, or have ended. The machine takes steps of the current actor's
// topmost frame until main has no frames left.
type machine struct {
	prog    *program
	log     []event
	fuel    int
	main    *actor
	cur     *actor
	tasks   []*actor // by number
	handles []handle // in the order of publication
	waits   int      // tasks that have waited
	plains  int      // goroutines started
	owned   [ownStacks]bool
}

// A handle is one suspension of one task.
type handle struct {
	task *actor
	gen  int
}

func (h handle) live() bool { return h.task.state == armed && h.task.gen == h.gen }

// The states of a task.
type state uint8

const (
	none      state = iota // never came to be, or freed
	running                // or waiting for whom it runs
	yielded                // suspended, in its owner's hands
	armed                  // suspended under the handle of its generation
	dying                  // parked for ever; its children keep it from unwinding
	unwinding              // running its deferred calls, or waiting for whom they run
	done
)

// suspended reports whether a cancel can take the task.
func (s state) suspended() bool { return s == yielded || s == armed }

// ended reports whether t is done; its owner may have freed it since.
func (t *actor) ended() bool { return t.state == done || t.state == none }

// An actor is main, a task, or a goroutine that runs one operation.
type actor struct {
	number  int
	frames  []frame
	unwind  *unwind // what runs its frames down now, nil: they run normally
	resumer *actor  // who waits for it while it is running or unwinding
	result  string  // of the operation that has just come to its end
	depth   int     // script frames

	deferreds  int // deferred calls made
	publishing int // publish functions that have not returned
	outcome    outcome

	// Of tasks alone:
	state    state
	gen      int // generation of its newest handle
	post     post
	owned    int // which of the own stacks it is on, -1: none
	mark     *request
	parent   *actor
	children []*actor // in the order of their start
	family   bool     // it has, or had, children
	closed   bool     // its body is over: no more children
	awaits   bool     // it is armed until the last child ends
	waiters  []*actor // under handles that nobody else sees
	waited   int      // calls of Wait for it
	arm      *arm     // of a join
	over     bool     // its body is over
	onEnd    bool     // somebody is told of its end,
	endPick  uint8    // who chooses this handle to go on with
}

// A post is what a task asks its resumer to do when it has parked.
type post struct {
	kind   postKind
	script []op   // what publish runs
	wait   *actor // whose end to wait for
}

type postKind uint8

const (
	postYield postKind = iota
	postSuspend
	postWait
	postChildren
	postEnd
)

// A frame is one step after another of what an actor does. step runs it when it
// is topmost; unwind when it is topmost and the actor is being run down.
type frame interface {
	step(m *machine, a *actor)
	unwind(m *machine, a *actor)
}

func (a *actor) push(f frame) { a.frames = append(a.frames, f) }

func (a *actor) top() frame { return a.frames[len(a.frames)-1] }

func (a *actor) pop() {
	if f, ok := a.top().(*script); ok {
		a.depth--
		if f.isPublish {
			a.publishing--
		}
	}
	a.frames = a.frames[:len(a.frames)-1]
}

func (a *actor) plain() bool { return a.number <= mainActor }

func (m *machine) emit(who *actor, what string, which int, result string) {
	m.log = append(m.log, event{who.number, what, which, result})
}

// burn takes one unit of fuel, if there is one.
func (m *machine) burn() bool {
	m.fuel--
	return m.fuel >= 0
}

// runModel runs p and returns all effects.
func runModel(p *program, fuel int) []event {
	m := &machine{prog: p, fuel: fuel}
	m.main = &actor{number: mainActor}
	m.main.push(&epilogue{})
	m.main.pushScript(p.main)
	m.cur = m.main
	for len(m.main.frames) > 0 {
		if a := m.cur; a.unwind != nil {
			a.top().unwind(m, a)
		} else {
			a.top().step(m, a)
		}
	}
	return m.log
}

// enter has a, the current actor, run t until it parks, and deal with that
// then.
func (m *machine) enter(a, t *actor) {
	t.resumer = a
	m.cur = t
}

// park gives control back to t's resumer.
func (m *machine) park(t *actor, p post) {
	t.post = p
	m.cur, t.resumer = t.resumer, nil
}

// open reports whether t has not ended.
func (a *actor) open() bool { return a.state != none && a.state != done }

// open counts the tasks that have not ended.
func (m *machine) open() int {
	n := 0
	for _, t := range m.tasks {
		if t.open() && t.known() {
			n++
		}
	}
	return n
}

// task chooses one, nil if there is none.
func (m *machine) task(i uint8) *actor {
	if len(m.tasks) == 0 {
		return nil
	}
	t := m.tasks[pick(i, len(m.tasks), func(n int) bool { return m.tasks[n].open() && m.tasks[n].known() })]
	if !t.known() {
		return nil
	}
	return t
}

// known reports whether programs may use t. An arm is its join's when its body
// is over.
func (a *actor) known() bool { return a.state != none && !(a.arm != nil && a.over) }

// handle chooses one: its number, and whether there is one.
func (m *machine) handle(i uint8) (int, bool) {
	if len(m.handles) == 0 {
		return 0, false
	}
	return pick(i, len(m.handles), func(n int) bool { return m.handles[n].live() }), true
}

// An epilogue is main's last act: with no fuel left for any script it cancels
// what is still open, newest first, and looks at every task.
type epilogue struct {
	begun  bool
	next   int // number of the task to cancel next
	called bool
}

func (e *epilogue) step(m *machine, a *actor) {
	if !e.begun {
		m.fuel = 0
		e.begun, e.next = true, len(m.tasks)-1
	}
	if e.called {
		e.called = false
		m.emit(a, "epilogue", e.next+1, a.result)
	}
	for e.next >= 0 {
		t := m.tasks[e.next]
		e.next--
		if t.open() && t.known() {
			e.called = true
			m.cancel(a, t, 0)
			return
		}
	}
	for n, t := range m.tasks {
		m.emit(a, "outcome", n, t.look())
	}
	a.pop()
}

func (e *epilogue) unwind(m *machine, a *actor) {
	if e.called {
		e.called = false
		m.emit(a, "epilogue", e.next+1, a.unwind.name())
	} else {
		m.emit(a, "main", 0, a.unwind.name())
	}
	a.unwind = nil
}

// remove takes t out of list.
func remove(list []*actor, t *actor) []*actor {
	return slices.DeleteFunc(list, func(c *actor) bool { return c == t })
}
