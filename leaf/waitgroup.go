package leaf

import "github.com/stackhop/stackhop/ctx"

// A WaitGroup waits until as many things are done as were announced. The
// zero WaitGroup waits for nothing. It must not be copied after first use.
type WaitGroup struct {
	plain
	n int // guarded by q.mu
	q queue
}

// Add announces delta more, or with a negative one fewer, things to wait for. If
// none is left, it resumes all that wait, one after the other, first come
// first served. It panics if that makes less than none, as its twin does.
func (w *WaitGroup) Add(delta int) {
	w.q.mu.Lock()
	if w.n+delta < 0 {
		w.q.mu.Unlock()
		panic("leaf: negative WaitGroup counter")
	}
	w.n += delta
	if w.n == 0 {
		for n := w.q.front(0); n != nil; n = w.q.front(0) {
			w.q.grant(n)
		}
	}
	w.q.wake()
}

// Done is Add(-1).
func (w *WaitGroup) Done() { w.Add(-1) }

// Wait waits until nothing is left to wait for. Errors: ErrUnwinding,
// ErrThreadLocked.
func (w *WaitGroup) Wait() error {
	return w.q.await(w, 0)
}

// Go starts body as a task, which the group waits for however it ends. Errors
// are those of ctx.Spawn; there is nothing to wait for then.
func (w *WaitGroup) Go(body func(t *ctx.Task), opts ...ctx.Option) (*ctx.Task, error) {
	if body == nil {
		return nil, ctx.ErrNilBody
	}
	w.Add(1)
	t, err := ctx.Spawn(func(t *ctx.Task) {
		defer w.Done()
		body(t)
	}, opts...)
	if err != nil {
		w.Done()
	}
	return t, err
}

func (w *WaitGroup) try(uint64) bool { return w.n == 0 }

func (w *WaitGroup) admit(*node) bool { return w.n == 0 }

func (w *WaitGroup) refuse(*node) {}

func (w *WaitGroup) left() {}
