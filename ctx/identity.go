package ctx

import (
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/cancel"
	"github.com/stackhop/stackhop/guard"
	"github.com/stackhop/stackhop/internal/nilpanic"
	"github.com/stackhop/stackhop/mmapstack"
	"github.com/stackhop/stackhop/resume"
)

// An identity is a coroutine that runs tasks, one after another. Between them
// it is parked on its stack and belongs to whoever keeps the stack (T1).
type identity struct {
	coro  stackhop.Coro    // first: a trace of serve has its address, and means the identity
	task  *Task            // that runs on it now
	last  *Task            // that ran on it last, and serves again once it is free (T2)
	stack *mmapstack.Stack // nil: one of the runtime

	// born is when the task began, in nanoseconds on the clock of sinceStart, times
	// two. Odd: no sooner, it is only when a dump first saw the task. 0: unknown.
	born atomic.Int64
	at   uint32 // its place in the registry, whose lock guards it, and 1; 0: not there

	kind  identityKind
	phase identityPhase
	home  uint8 // the shard of natives that put takes it back to
	busy  bool  // a task is on the caller's stack; guarded by the callerShard
}

type identityPhase uint8

const (
	rests identityPhase = iota // serve waits for a task
	runs                       // a body has begun and not returned
	quits                      // serve returns instead of running a task
)

type identityKind uint8

const (
	staying identityKind = iota
	pooled               // likewise, and its stack goes back to its pool
	once                 // ends with its task
	roaming              // has a stack only as long as that is open
)

// newIdentity makes a coroutine on stack, or on a stack of the runtime.
func newIdentity(stack *mmapstack.Stack, kind identityKind) (*identity, error) {
	id := &identity{stack: stack, kind: kind}
	var r stackhop.Region
	if stack != nil {
		r = stack.Region()
	}
	if r.First != 0 {
		if err := guard.Install(); err != nil {
			return nil, err
		}
	}
	nameTasks()
	prepareEnds()
	var first func(*stackhop.Coro) // Spawn gives it serve, again and again
	if kind == once {
		first = serve
	}
	if err := id.coro.Init(r, first); err != nil {
		return nil, err
	}
	id.coro.SetLocal(id)
	registry.add(id)
	return id, nil
}

var prepareEnds = sync.OnceFunc(nilpanic.Prepare)

// reset gives the coroutine, which has none, a body.
func (id *identity) reset() error {
	if id.kind == roaming {
		return id.coro.ResetOn(id.stack.Region(), serve)
	}
	return id.coro.Reset(serve)
}

// Slot is what resume finds the current task by.
func (id *identity) Slot() *resume.Slot {
	if id.task == nil {
		return nil
	}
	return &id.task.slot
}

// serve is the body of every identity's coroutine: a task, a pause, the next task. It
// is one frame all its life, and no second switch is needed between two tasks. After a
// panic or Goexit it ends, and begins anew with the next task.
//
// The collector looks at that frame of every suspended task: it has one pointer, and
// what it defers captures nothing.
func serve(c *stackhop.Coro) {
	defer aborted()
	for of(c).phase != quits {
		of(c).begins()(of(c).task)
		of(c).returned()
		if of(c).kind == once {
			of(c).unlockThread(c)
			return
		}
		if c.TrySwitch() != nil {
			if of(c).unlockThread(c) {
				return
			}
			c.Switch()
		}
	}
}

// aborted ends the task whose body did not return, if one runs; serve defers it.
func aborted() {
	if id := of(stackhop.Current()); id.phase == runs {
		id.phase = rests
		v := recover()
		if v == nil {
			v = nilpanic.Value()
		}
		id.failed(v)
		id.end()
	}
}

// begins answers the body of the task that begins now.
func (id *identity) begins() (body func(*Task)) {
	t := id.task
	body, t.body = t.body, nil
	id.phase = runs
	return body
}

func (id *identity) returned() {
	id.phase = rests
	id.end()
}

// unlockThread is called when a body has returned that may have locked its thread.
// It reports whether the thread ends with the body. If the owner is locked to the same
// thread, it does not; then the task ends with an error, unless it has one already.
//
//go:noinline
func (id *identity) unlockThread(c *stackhop.Coro) (ends bool) {
	if c.EndsThread() {
		return true
	}
	if err := c.UnlockThread(); err != nil && id.task.err == nil {
		id.task.err = &PanicError{Task: id.task.name(), Value: err, Stack: debug.Stack()}
	}
	return false
}

// end is the last for the task on its stack: its body has returned, or was aborted.
func (id *identity) end() {
	if t := id.task; !t.hasFamily() {
		t.slot.End()
		return
	}
	id.endFamily()
}

// endFamily ends the children that the body has left. The task is cancelled
// itself meanwhile if its parent is.
func (id *identity) endFamily() {
	t := id.task
	defer func() {
		v := recover() // of a Publish, see despite
		if v == nil {
			v = nilpanic.Value()
		}
		if v != nil && t.err == nil {
			t.err = &PanicError{Task: t.name(), Value: v, Stack: debug.Stack()}
		}
		t.slot.End()
	}()
	despite(t.awaitChildren)
}

// despite calls f, which unwinds tasks. A Publisher that panics meanwhile, of a
// task that these continue, does not keep f from the others: it is called again, and
// each call has fewer to unwind. The first panic goes on when all are unwound.
func despite(f func()) {
	returned := false
	defer func() {
		for !returned {
			returned = survives(f)
		}
	}()
	f()
	returned = true
}

// survives calls f. It reports false if that has panicked.
func survives(f func()) (returned bool) {
	exits := true
	defer func() {
		if v := recover(); v == nil && exits {
			despite(f) // runtime.Goexit, which nothing stops
		}
	}()
	f()
	exits = false
	return true
}

// failed notes why the body did not return. The frames that panicked are
// still below.
func (id *identity) failed(v any) {
	t := id.task
	cancelled := t.slot.Unwinding()
	overflow, _ := v.(*guard.OverflowError)
	if overflow != nil {
		overflow.Task = t.name()
	}
	switch {
	case overflow != nil && !cancelled:
		t.err = overflow
	case v != nil:
		err := &PanicError{Task: t.name(), Value: v, Stack: debug.Stack()}
		if cancelled {
			err.Cancelled = t.askedWith()
		}
		t.err = err
	case cancelled:
		t.err = t.askedWith()
	default:
		t.err = ErrGoexit
	}
}

// Ended is called on the resumer's side when the task's frames are gone. It
// returns what is to run next: tasks that waited for this one.
func (id *identity) Ended() (next *resume.Slot, then resume.Sequel) {
	t := id.task
	id.setTask(nil)
	t.id = nil
	if _, panicked := t.err.(*PanicError); panicked {
		id.last = nil // else what it panicked with would be kept
	}
	var onEnd Ender
	var unwind cancel.Target
	var awake func() any
	x := t.ext.Load()
	if x != nil {
		onEnd = x.onEnd
		if m := x.more.Load(); m != nil && !m.unfollow() {
			id.last = nil // a context may still cancel it
		}
		if x.node.Parent() != nil {
			unwind, awake = x.node.Leave()
		}
	}
	id.coro.Shrink()
	id.release() // T3
	t.slot.Finish()
	if x == nil {
		if x = t.ext.Load(); x == nil { // after Finish: T5
			return nil, nil
		}
	}
	waits, more := x.waits.Load(), x.more.Load() // likewise. Before TaskEnded: that may free t, which then serves again
	switch {
	case unwind != nil || awake != nil || waits != nil || more != nil:
		e := &ending{t: t, onEnd: onEnd, unwind: unwind, awake: awake, waits: waits, more: more}
		return e.begin()
	case onEnd != nil:
		return onEnd.TaskEnded(t).Take(), nil
	}
	return nil, nil
}

// Asked is called on the resumer's side when a task has suspended that is to
// unwind.
func (id *identity) Asked() (next *resume.Slot) {
	t := id.task
	alone, returned := false, false
	defer func() {
		switch {
		case !alone:
		case !t.begun(): // New has not given it out yet
			t.slot.Adopt()
			_ = t.discard()
		case returned:
			t.slot.Adopt()
			next = &t.slot
		default: // a Publisher panics: the task unwinds all the same
			t.slot.Adopt()
			_ = t.slot.Unwind() // whoever has just left it can enter it: no error
		}
	}()
	despite(func() { alone = t.ext.Load().node.Resign(t.slot.Defer) })
	returned = true
	return nil
}

// CancelHere is what cancel.Here calls.
func (id *identity) CancelHere() {
	t := id.task
	if t == nil || !t.slot.WasAsked() || t.slot.Unwinding() {
		return
	}
	if !t.hasFamily() || !t.ext.Load().node.HasChildren() {
		t.slot.Exit()
	}
	_ = t.slot.Park(nil) // not published: the children first
}

// LivesFrom is the lowest address that an idle coroutine needs of its stack:
// mmapstack asks when it clears the rest.
func (id *identity) LivesFrom() uintptr { return id.coro.ParkedSP() }

// Vacate ends an idle coroutine, so that its stack is nobody's. mmapstack calls
// it before the memory goes away.
func (id *identity) Vacate() error {
	if err := id.finish(); err != nil {
		return err
	}
	if id.kind == roaming && id.toRoamers() {
		return nil
	}
	return id.close()
}

// finish has serve of an idle coroutine return.
func (id *identity) finish() error {
	if id.task != nil {
		return ErrStackInUse
	}
	if id.coro.Drop() || id.coro.Done() { // between two tasks, serve has nothing left to do
		return nil
	}
	id.phase = quits
	err := id.coro.TrySwitch()
	id.phase = rests
	return err
}

// close ends the goroutine of an idle coroutine.
func (id *identity) close() error {
	if err := id.finish(); err != nil {
		return err
	}
	id.last = nil
	err := id.coro.Close()
	if err == nil {
		registry.remove(id)
	}
	return err
}
