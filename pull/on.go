package pull

import (
	"errors"
	"fmt"
	"iter"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/mmapstack"
)

// A tenant is the coroutine that stays with a stack, so that the next iterator
// on it finds everything made.
type tenant struct{ co *stackhop.Coro }

// Vacate ends the coroutine: it makes a tenant an mmapstack.Occupant.
func (t *tenant) Vacate() error { return t.co.Close() }

// LivesFrom makes a tenant an mmapstack.Lodger.
func (t *tenant) LivesFrom() uintptr { return t.co.ParkedSP() }

// tenantOf answers the coroutine that lives on s, and makes it if need be.
func tenantOf(s *mmapstack.Stack) (*stackhop.Coro, error) {
	if t, ok := s.Attached().(*tenant); ok {
		return t.co, nil
	}
	if err := s.Evict(); err != nil { // another library's
		return nil, fmt.Errorf("pull: the stack is in use: %w", err)
	}
	co, err := stackhop.New(s.Region(), nil)
	if err != nil {
		return nil, err
	}
	s.Attach(&tenant{co})
	return co, nil
}

// settle gives the coroutine of s its next body.
func (e *core) settle(s *mmapstack.Stack, body func(*stackhop.Coro)) error {
	if err := s.Enter(); err != nil {
		if _, ours := s.Attached().(*tenant); ours && errors.Is(err, mmapstack.ErrBusy) {
			err = stackhop.ErrNotDone
		}
		return fmt.Errorf("pull: the stack cannot be used: %w", err)
	}
	co, err := tenantOf(s)
	if err == nil {
		if err = co.Reset(body); err != nil {
			err = fmt.Errorf("pull: the stack is in use: %w", err)
		}
	}
	if err != nil {
		s.Leave()
		return err
	}
	co.InheritLabels() // as the native ones do
	e.co, e.stack = co, s
	return nil
}

// rent is settle on a stack from pool, which gets it back at the end.
func (e *core) rent(pool *mmapstack.Pool, body func(*stackhop.Coro)) error {
	s, err := pool.GetAttached()
	if err != nil {
		return err
	}
	if err := e.settle(s, body); err != nil {
		pool.Put(s)
		return err
	}
	e.pool = pool
	return nil
}

// PullOn is Pull with the iterator on the stack s. The coroutine made for it
// stays attached to s, parked, for the next PullOn: Close of s ends it. Until
// the iteration has ended s must not be used otherwise. s has a fixed size: an
// iterator that needs more ends the process, as does a runaway recursion
// elsewhere.
//
// Errors: what New and Reset of package stackhop answer, ErrNotDone if an
// iterator runs on s already, *mmapstack.BusyError if a stranger lives there,
// mmapstack.ErrIdle and ErrClosed if s is in its pool or closed.
// Where Pull is iter.Pull, s is not used.
func PullOn[V any](s *mmapstack.Stack, seq iter.Seq[V]) (next func() (V, bool), stop func(), err error) {
	if !standIn() {
		next, stop = iter.Pull(seq)
		return next, stop, nil
	}
	p := &puller[V]{core: core{shape: shapeOf[V]()}}
	if err := p.settle(s, p.body(seq)); err != nil {
		return nil, nil, err
	}
	return p.next(p.co), p.stop, nil
}

// Pull2On is Pull2 on the stack s: see PullOn.
func Pull2On[K, V any](s *mmapstack.Stack, seq iter.Seq2[K, V]) (next func() (K, V, bool), stop func(), err error) {
	if !standIn() {
		next, stop = iter.Pull2(seq)
		return next, stop, nil
	}
	p := &puller2[K, V]{core: core{shape: shapeOf2[K, V]()}}
	if err := p.settle(s, p.body(seq)); err != nil {
		return nil, nil, err
	}
	return p.next(p.co), p.stop, nil
}

// PullFrom is PullOn with a stack of pool, which has it back when the
// iteration has ended, in whatever way. Dropped without stop, it keeps the
// stack for ever. Errors: also those of Pool.Get.
func PullFrom[V any](pool *mmapstack.Pool, seq iter.Seq[V]) (next func() (V, bool), stop func(), err error) {
	if !standIn() {
		next, stop = iter.Pull(seq)
		return next, stop, nil
	}
	p := &puller[V]{core: core{shape: shapeOf[V]()}}
	if err := p.rent(pool, p.body(seq)); err != nil {
		return nil, nil, err
	}
	return p.next(p.co), p.stop, nil
}

// Pull2From is Pull2 on a stack of pool: see PullFrom.
func Pull2From[K, V any](pool *mmapstack.Pool, seq iter.Seq2[K, V]) (next func() (K, V, bool), stop func(), err error) {
	if !standIn() {
		next, stop = iter.Pull2(seq)
		return next, stop, nil
	}
	p := &puller2[K, V]{core: core{shape: shapeOf2[K, V]()}}
	if err := p.rent(pool, p.body(seq)); err != nil {
		return nil, nil, err
	}
	return p.next(p.co), p.stop, nil
}
