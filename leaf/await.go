package leaf

import (
	"runtime/debug"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/internal/nilpanic"
	"github.com/stackhop/stackhop/resume"
)

// Await receives from a Go channel: v, ok := <-ch. If nothing is there, a
// goroutine waits for it, and the task is suspended; the goroutine resumes it. A
// plain goroutine receives by itself.
//
// If the task is cancelled the goroutine ends, and takes nothing from ch. Only if
// the cancel comes between its receiving and its resuming the task, that value
// is dropped. Where none may be, use Chan.
//
// Errors: ErrUnwinding, ErrThreadLocked; nothing was received then.
func Await[T any](ch <-chan T) (v T, ok bool, err error) {
	select {
	case v, ok = <-ch:
		return v, ok, nil
	default:
	}
	t := ctx.Current()
	if t == nil {
		v, ok = <-ch
		return v, ok, nil
	}
	r := &receiver[T]{ch: ch, stop: make(chan struct{})}
	defer close(r.stop)
	if err = t.Park(r); err != nil {
		return v, false, err
	}
	return r.v, r.ok, nil
}

// A receiver is one call of Await that waits.
type receiver[T any] struct {
	ch   <-chan T
	stop chan struct{} // closed when the call is over
	v    T
	ok   bool
}

// Publish starts the goroutine.
func (r *receiver[T]) Publish(h resume.Handle) { go r.receive(h) }

func (r *receiver[T]) receive(h resume.Handle) {
	if !h.Live() {
		return
	}
	select {
	case r.v, r.ok = <-r.ch:
		_ = h.Resume() // stale: the task was cancelled
	case <-r.stop:
	}
}

// AwaitFunc runs f, which may block, on a goroutine, and suspends the task until
// f has returned. That goroutine then resumes the task. A plain goroutine calls f
// itself.
//
// If the task is cancelled meanwhile, f runs to its end and what comes of it is
// dropped; to stop it, give it the task's Context. If f panics, so does AwaitFunc,
// with a *ctx.PanicError; if f calls runtime.Goexit, the error is ctx.ErrGoexit.
// Errors besides those of f: ErrUnwinding, ErrThreadLocked; f was not called then.
func AwaitFunc[T any](f func() (T, error)) (T, error) {
	t := ctx.Current()
	if t == nil {
		return f()
	}
	c := &call[T]{f: f}
	if err := t.Park(c); err != nil {
		return c.v, err
	}
	if c.panicked != nil {
		panic(c.panicked)
	}
	return c.v, c.err
}

// A call is one call of AwaitFunc.
type call[T any] struct {
	f        func() (T, error)
	v        T
	err      error
	panicked *ctx.PanicError
}

// Publish starts the goroutine.
func (c *call[T]) Publish(h resume.Handle) { go c.run(h) }

func (c *call[T]) run(h resume.Handle) {
	c.err = ctx.ErrGoexit
	defer func() {
		v := recover()
		if v == nil {
			v = nilpanic.Value()
		}
		if v != nil {
			c.panicked = &ctx.PanicError{Value: v, Stack: debug.Stack()}
		}
		_ = h.Resume() // stale: the task was cancelled
	}()
	c.v, c.err = c.f()
}
