package fuzz

import (
	"errors"
	"runtime"

	"github.com/stackhop/stackhop/cancel"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/mmapstack"
	"github.com/stackhop/stackhop/resume"
)

// A library runs a program on the library itself. It does what the machine
// does, by calls, deferred calls and panics.
type library struct {
	prog    *program
	log     []event
	fuel    int
	main    who
	base    *who // the goroutine, main or another, that runs whatever runs
	tasks   []*entry
	byTask  map[*ctx.Task]*who
	handles []resume.Handle
	plains  int                         // goroutines started
	waits   int                         // tasks that have waited
	owned   [ownStacks]*mmapstack.Stack // nil where there are no mapped stacks
}

// who is an actor.
type who struct {
	number int
	task   *ctx.Task
	depth  int

	deferreds  int
	publishing int
}

// An entry is what the program knows of a task.
type entry struct {
	task    *ctx.Task // nil: never came to be, or freed
	waited  int
	who     who
	endPick uint8
	lib     *library
	isArm   bool // of a join, which frees it
}

// runLibrary runs p and returns all effects.
func runLibrary(p *program, fuel int) []event {
	l := &library{prog: p, fuel: fuel, byTask: map[*ctx.Task]*who{}}
	l.base = &l.main
	for i := range l.owned {
		s, err := mmapstack.New(64 << 10)
		if err != nil && !errors.Is(err, mmapstack.ErrUnsupported) {
			panic(err)
		}
		l.owned[i] = s
	}
	l.runMain()
	for _, s := range l.owned {
		if s != nil {
			if err := s.Close(); err != nil {
				panic(err)
			}
		}
	}
	return l.log
}

func (l *library) emit(me *who, what string, which int, result string) {
	l.log = append(l.log, event{me.number, what, which, result})
}

// runMain runs main's script, and then the epilogue.
func (l *library) runMain() {
	me := &l.main
	func() {
		defer func() {
			if v := recover(); v != nil {
				l.emit(me, "main", 0, "panic "+nameOf(v))
			}
		}()
		l.run(me, l.prog.main)
	}()
	l.fuel = 0
	for n := len(l.tasks) - 1; n >= 0; n-- {
		if e := l.tasks[n]; e.open() {
			l.emit(me, "epilogue", n, l.cancelAtLast(e.task))
		}
	}
	for n, e := range l.tasks {
		l.emit(me, "outcome", n, e.look())
	}
}

func (l *library) cancelAtLast(t *ctx.Task) (result string) {
	defer func() {
		if v := recover(); v != nil {
			result = "panic " + nameOf(v)
		}
	}()
	return errorName(t.Cancel(nil))
}

// me is whoever calls it.
func (l *library) me() *who {
	t := ctx.Current()
	if t == nil {
		return l.base
	}
	return l.byTask[t]
}

func (l *library) burn() bool {
	l.fuel--
	return l.fuel >= 0
}

// run runs ops in a frame of their own.
func (l *library) run(me *who, ops []op) {
	me.depth++
	defer me.leave()
	again := 0
	for pc := 0; pc < len(ops); pc++ {
		if !l.burn() {
			return
		}
		o := ops[pc]
		result := isOK
		switch {
		case me.depth >= maxDepth && nests(o.kind):
			result = isTooDeep
		case me.publishing != 0 && suspends(o.kind):
			result = isPublishing
		case o.kind == opDefer:
			defer l.deferred(me, o)
		case o.kind == opReturn:
			return
		case o.kind == opAgain && again == maxAgain:
		case o.kind == opAgain:
			again++
			pc = -1
		default:
			result = l.do(me, o)
		}
		l.emit(me, o.kind.String(), int(o.a), result)
	}
}

func (w *who) leave() { w.depth-- }

// deferred is what opDefer defers.
func (l *library) deferred(me *who, o op) {
	result := ""
	if o.b&1 != 0 {
		result = isRecoverNone
		if v := recover(); v != nil {
			result = nameOf(v)
		}
	}
	n := l.prog.script(o.a)
	l.emit(me, "deferred", n, result)
	me.deferreds++
	if me.depth < maxDepth && (me.deferreds <= maxDeferred || me.task == nil) {
		l.run(me, l.prog.scripts[n])
	}
}

// do does o and returns its result.
func (l *library) do(me *who, o op) string {
	switch o.kind {
	case opSpawn:
		return l.spawn(me, o)
	case opYield:
		if me.task == nil {
			return isPlain
		}
		me.task.Yield()
	case opSuspend:
		if me.task == nil {
			return isPlain
		}
		me.task.Suspend(l.publisher(o.a))
	case opHere:
		cancel.Here()
	case opCall:
		l.run(me, l.prog.scripts[l.prog.script(o.a)])
	case opPanic:
		if me.task == nil {
			return isPlain
		}
		panic(value(o.a % values))
	case opGoexit:
		if me.task == nil {
			return isPlain
		}
		runtime.Goexit()
	case opElsewhere:
		return l.elsewhere(o)
	case opJoin:
		return l.join(me, o)
	case opHandle, opTransfer, opHandOver, opLive:
		return l.doHandle(o)
	default:
		return l.doTask(me, o)
	}
	return isOK
}

func (l *library) doHandle(o op) string {
	if len(l.handles) == 0 {
		return isNone
	}
	h := l.handles[l.pickHandle(o.a)]
	switch o.kind {
	case opHandle:
		return errorName(h.Resume())
	case opTransfer:
		return errorName(h.Transfer())
	case opHandOver:
		return errorName(h.TransferPublish(l.publisher(o.b)))
	}
	if h.Live() {
		return isTrue
	}
	return isFalse
}

func (l *library) doTask(me *who, o op) string {
	e := l.entry(o.a)
	if e == nil {
		return isNone
	}
	switch o.kind {
	case opResume:
		return errorName(e.task.Resume())
	case opCancel:
		if e.isArm && !e.beneath(me.task) {
			return isArm
		}
		return errorName(e.task.Cancel(causeErrors[causeOf(o.b)]))
	case opWait:
		if e.isArm {
			return isArm
		}
		if me.task == nil && !e.task.Done() {
			return isBlocked
		}
		if me.task != nil && me.task != e.task && !e.task.Done() {
			if l.waits == maxWaits {
				return isTooMany
			}
			l.waits++
		}
		return e.wait()
	case opFree:
		if e.isArm {
			return isArm
		}
		if e.waited != 0 {
			return isAwaited
		}
		if err := e.task.Free(); err != nil {
			return errorName(err)
		}
		e.task = nil
	case opLook:
		return e.look()
	}
	return isOK
}

func (l *library) entry(i uint8) *entry {
	if len(l.tasks) == 0 {
		return nil
	}
	e := l.tasks[pick(i, len(l.tasks), func(n int) bool { return l.tasks[n].open() })]
	if e.task == nil {
		return nil
	}
	return e
}

func (l *library) pickHandle(i uint8) int {
	return pick(i, len(l.handles), func(n int) bool { return l.handles[n].Live() })
}

// open counts the tasks that have not ended.
func (l *library) open() (n int) {
	for _, e := range l.tasks {
		if e.open() {
			n++
		}
	}
	return n
}

func (e *entry) open() bool { return e.task != nil && !e.task.Done() }

// beneath reports whether the entry's task is t or one that t descends from.
func (e *entry) beneath(t *ctx.Task) bool {
	for ; t != nil && t != e.task; t = t.Parent() {
	}
	return t != nil
}

func (e *entry) wait() string {
	e.waited++
	defer func() { e.waited-- }()
	return errorName(e.task.Wait())
}

func (e *entry) look() string {
	switch {
	case e.task == nil:
		return isNone
	case e.task.Done():
		return "done: " + errorName(e.task.Err())
	case e.task.CancelPending():
		return "asked: " + errorName(e.task.Err())
	case e.task.Err() != nil:
		return "an error of a task that goes on"
	}
	return "open"
}
