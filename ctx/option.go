package ctx

import (
	"context"
	"fmt"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/mmapstack"
	"github.com/stackhop/stackhop/resume"
)

// An Option changes how Spawn starts a task. It is a plain value: giving
// options allocates nothing.
type Option struct {
	kind  optionKind
	size  int
	name  string
	stack *mmapstack.Stack
	pool  *mmapstack.Pool

	parent  *Task
	onEnd   Ender
	home    resume.Publisher
	context context.Context
}

type optionKind uint8

const (
	optNone optionKind = iota // the zero Option changes nothing
	optStack
	optSize
	optPool
	optNative
	optStrict
	optNoFallback
	optName
	optParent
	optOnEnd
	optContext
	optHome
)

// WithStack runs the task on the caller's storage, which must be open and
// free of other tasks, and stay so until the task has ended. Its memory and the
// task's coroutine are used again by the next task on it; Close ends both.
//
// Spawn returns ErrStackInUse if a task is on s, and an *OptionError that matches
// mmapstack.ErrIdle or mmapstack.ErrClosed if s is in its pool, or closed or
// unmapped. Pool.Put of s panics until the task has ended.
//
// A call that does not fit ends the task with a *guard.OverflowError if s grows, and
// the process if it does not: carved and static stacks never do, see
// mmapstack.Stack.Carve and mmapstack.Static.
func WithStack(s *mmapstack.Stack) Option { return Option{kind: optStack, stack: s} }

// WithStackSize runs the task on a mapped, guard-paged stack of at least that many
// bytes, mmapstack.MinSize to mmapstack.GrowMax, from guard.Default. It begins
// with one window of 8 KiB and grows in place. A call that does not fit
// panics, and a body that does not recover ends the task with a
// *guard.OverflowError; the process goes on.
//
// That needs a SIGSEGV handler, which the first such task installs (see
// guard.Install). Where it cannot be installed, and on the portable backend, the task
// runs on the runtime's own stack instead, as without the option;
// Task.Stack returns nil then. The size is no bound there: a runaway recursion ends
// the process, as in a goroutine. That is so in race builds, too. WithoutFallback
// makes the fallback an error.
func WithStackSize(bytes int) Option { return Option{kind: optSize, size: bytes} }

// WithStrictStack runs the task on a mapped, guard-paged stack of at least that
// many bytes, mmapstack.MinSize to mmapstack.MaxSize, that does not grow. On the
// portable backend and in a testing/synctest bubble it runs on a stack of the runtime,
// and Task.Stack returns nil. A strict stack needs no signal handler and costs less to start than WithStackSize, but a
// call that does not fit ends the process, with the runtime's words
//
//	fatal error: stack size not a power of 2
//
// and a trace that has coroutineBase_strictStack_overflowIsFatal as its outermost
// frame. No deferred call runs. Choose it for bodies of known depth.
func WithStrictStack(bytes int) Option { return Option{kind: optStrict, size: bytes} }

// WithoutFallback has Spawn return an *OptionError where WithStackSize would run
// the task on the runtime's own stack. The error matches what the lower package
// said, such as guard.ErrTrap or stackhop.ErrUnmapped. It is of no effect inside a testing/synctest
// bubble, where every task runs on a stack of the runtime.
func WithoutFallback() Option { return Option{kind: optNoFallback} }

// WithPool runs the task on a stack of that pool. With one that guard.NewPool
// made with guard.Growing, stacks grow in place, and an overflow that the body does
// not recover from ends the task with a *guard.OverflowError.
func WithPool(p *mmapstack.Pool) Option { return Option{kind: optPool, pool: p} }

// WithNativeStack runs the task on a stack that the runtime owns and grows by
// copying, like a goroutine's. So does a task without any storage option.
func WithNativeStack() Option { return Option{kind: optNative} }

// WithName gives the task a name, for Task.String and PanicError.
func WithName(name string) Option { return Option{kind: optName, name: name} }

// WithParent makes the task a child of p: a cancel of p cancels it first, and
// when the body of p ends, p cancels it and waits for its end. Without WithContext
// the task inherits the context of p, see Task.Context. p must be the
// current task, or one that the current task descends from: so a loop that is to
// be the parent of tasks runs on a task itself.
func WithParent(p *Task) Option { return Option{kind: optParent, parent: p} }

// WithOnEnd has e told of the task's end, however it comes.
func WithOnEnd(e Ender) Option { return Option{kind: optOnEnd, onEnd: e} }

// WithHome is Task.SetHome before the body begins.
func WithHome(home resume.Publisher) Option { return Option{kind: optHome, home: home} }

// WithContext cancels the task when c is done, with context.Cause(c) for its
// cause, from a goroutine that context.AfterFunc starts. Task.Context derives
// from c, of the task and of its children, and the context of its parent does not
// matter.
func WithContext(c context.Context) Option { return Option{kind: optContext, context: c} }

// settings are what all options together ask for.
type settings struct {
	storage optionKind // optNone: a stack of the runtime
	size    int
	stack   *mmapstack.Stack
	pool    *mmapstack.Pool

	name    string
	parent  *Task
	onEnd   Ender
	home    resume.Publisher
	context context.Context
	extras  bool // one of these is set

	noFallback bool
}

func (o *settings) apply(opts []Option) error {
	for i := range opts {
		opt := &opts[i]
		switch opt.kind {
		case optName:
			o.name, o.extras = opt.name, true
			continue
		case optParent:
			if opt.parent == nil || !opt.parent.beneath(Current()) {
				return opt.refused("need the current task, or one that it descends from", nil)
			}
			o.parent, o.extras = opt.parent, true
			continue
		case optOnEnd:
			o.onEnd, o.extras = opt.onEnd, true
			continue
		case optHome:
			o.home, o.extras = opt.home, true
			continue
		case optContext:
			if opt.context == nil {
				return opt.refused("need a context", nil)
			}
			o.context, o.extras = opt.context, true
			continue
		case optNoFallback:
			o.noFallback = true
			continue
		case optNone:
			continue
		}
		if o.storage != optNone && o.storage != opt.kind {
			return opt.refused("contradicts another option: choose one kind of storage", nil)
		}
		o.storage, o.size, o.stack, o.pool = opt.kind, opt.size, opt.stack, opt.pool
		switch {
		case opt.kind == optPool && opt.pool == nil:
			return opt.refused("need a pool", nil)
		case opt.kind == optStack && opt.stack == nil:
			return opt.refused("need a stack", nil)
		case opt.kind == optStack && opt.stack.Region() == stackhop.Region{}:
			return opt.refused("need an open stack", mmapstack.ErrClosed)
		case opt.kind == optSize && (opt.size < mmapstack.MinSize || opt.size > mmapstack.GrowMax):
			return opt.refused(fmt.Sprintf("need %d to %d bytes", mmapstack.MinSize, mmapstack.GrowMax), nil)
		case opt.kind == optStrict && (opt.size < mmapstack.MinSize || opt.size > mmapstack.MaxSize):
			return opt.refused(fmt.Sprintf("need %d to %d bytes", mmapstack.MinSize, mmapstack.MaxSize), nil)
		}
	}
	return nil
}

// refused makes the error for an option. A copy, so that options stay on the
// stack of Spawn's caller.
func (o Option) refused(limit string, err error) error {
	e := &OptionError{Limit: limit, Err: err}
	switch o.kind {
	case optStack:
		e.Option, e.Value = "WithStack", o.stack
	case optSize:
		e.Option, e.Value = "WithStackSize", o.size
	case optStrict:
		e.Option, e.Value = "WithStrictStack", o.size
	case optPool:
		e.Option, e.Value = "WithPool", o.pool
	case optNative:
		e.Option, e.Value = "WithNativeStack", ""
	case optParent:
		e.Option, e.Value = "WithParent", o.parent
	case optContext:
		e.Option, e.Value = "WithContext", o.context
	}
	return e
}
