package ctx

import (
	"fmt"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/mmapstack"
)

// An Option changes how Spawn starts a task. It is a plain value: giving
// options allocates nothing.
type Option struct {
	kind  optionKind
	size  int
	name  string
	stack *mmapstack.Stack
}

type optionKind uint8

const (
	optNone optionKind = iota // the zero Option changes nothing
	optStack
	optSize
	optNative
	optName
)

// WithStack runs the task on the caller's storage, which must be open and
// free of other tasks, and stay so until the task has ended. Its memory and the
// task's coroutine are used again by the next task on it; Close ends both.
func WithStack(s *mmapstack.Stack) Option { return Option{kind: optStack, stack: s} }

// WithStackSize runs the task on a pooled stack of at least that many bytes.
func WithStackSize(bytes int) Option { return Option{kind: optSize, size: bytes} }

// WithNativeStack runs the task on a stack that the runtime owns and grows:
// for bodies whose depth is unknown. The first task on it allocates it.
func WithNativeStack() Option { return Option{kind: optNative} }

// WithName gives the task a name, for Task.String and PanicError.
func WithName(name string) Option { return Option{kind: optName, name: name} }

// settings are what all options together ask for.
type settings struct {
	storage optionKind // optNone: a pooled stack of the default size
	size    int
	name    string
	stack   *mmapstack.Stack
}

func (o *settings) apply(opts []Option) error {
	for i := range opts {
		opt := &opts[i]
		switch opt.kind {
		case optName:
			o.name = opt.name
			continue
		case optNone:
			continue
		}
		if o.storage != optNone && o.storage != opt.kind {
			return opt.refused("contradicts another option: choose one kind of storage", nil)
		}
		o.storage, o.size, o.stack = opt.kind, opt.size, opt.stack
		switch {
		case opt.kind == optStack && opt.stack == nil:
			return opt.refused("need a stack", nil)
		case opt.kind == optStack && opt.stack.Region() == stackhop.Region{}:
			return opt.refused("need an open stack", mmapstack.ErrClosed)
		case opt.kind == optSize && (opt.size < mmapstack.MinSize || opt.size > mmapstack.MaxSize):
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
	case optNative:
		e.Option, e.Value = "WithNativeStack", ""
	}
	return e
}
