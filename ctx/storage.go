package ctx

import (
	"fmt"
	"sync"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/mmapstack"
)

var portable = sync.OnceValue(func() bool { return stackhop.Backend().Name == "portable" })

// acquire finds or makes an identity on the storage that is asked for.
func acquire(set *settings) (*identity, error) {
	switch {
	case set.storage == optStack:
		return fromCaller(set.stack)
	case stackhop.InBubble():
		return newIdentity(nil, true)
	case set.storage == optNative || portable():
		return natives.get()
	}
	return fromPool(mmapstack.Default(set.size))
}

// release gives the storage back, when no frame of a task is left on it (T3).
func (id *identity) release() {
	switch {
	case id.pool != nil:
		id.pool.Put(id.stack)
	case id.stack != nil:
		id.toCaller()
	case !id.once:
		natives.put(id)
	}
}

func fromPool(pool *mmapstack.Pool) (*identity, error) {
	stack, err := pool.Get()
	if err != nil {
		return nil, err
	}
	if id, ok := stack.Attached().(*identity); ok {
		return id, nil
	}
	id, err := newIdentity(stack, false)
	if err != nil {
		pool.Put(stack)
		return nil, err
	}
	id.pool = pool
	stack.Attach(id)
	return id, nil
}

// callers guards what is attached to stacks of callers, and busy.
var callers sync.Mutex

func fromCaller(stack *mmapstack.Stack) (*identity, error) {
	callers.Lock()
	defer callers.Unlock()
	id, ok := stack.Attached().(*identity)
	switch {
	case stack.Attached() == nil:
	case !ok:
		return nil, WithStack(stack).refused(fmt.Sprintf("a %T is attached to it", stack.Attached()), nil)
	case id.busy:
		return nil, ErrStackInUse
	case !stackhop.InBubble():
		id.busy = true
		return id, nil
	default: // the goroutine must be the bubble's
		if err := evict(stack); err != nil {
			return nil, err
		}
	}
	id, err := newIdentity(stack, stackhop.InBubble())
	if err != nil {
		return nil, WithStack(stack).refused("need memory that can be a stack", err)
	}
	id.busy = true
	stack.Attach(id)
	stack.SetResizer(func(uintptr) error {
		callers.Lock()
		defer callers.Unlock()
		return evict(stack)
	})
	return id, nil
}

func (id *identity) toCaller() {
	callers.Lock()
	defer callers.Unlock()
	id.busy = false
	if id.once {
		id.stack.Attach(nil)
	}
}

// evict takes an idle identity off a caller's stack, whose bounds will change.
// The caller holds callers.
func evict(stack *mmapstack.Stack) error {
	id, ok := stack.Attached().(*identity)
	if !ok {
		return nil
	}
	if err := id.Vacate(); err != nil {
		return err
	}
	stack.Attach(nil)
	return nil
}

// nativeIdle is how many idle coroutines on stacks of the runtime are kept.
const nativeIdle = 256

// natives keeps them, last in first out.
var natives nativePool

type nativePool struct {
	mu   sync.Mutex
	idle []*identity
}

func (p *nativePool) get() (*identity, error) {
	p.mu.Lock()
	if n := len(p.idle); n != 0 {
		id := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return id, nil
	}
	p.mu.Unlock()
	return newIdentity(nil, false)
}

func (p *nativePool) put(id *identity) {
	p.mu.Lock()
	if len(p.idle) < nativeIdle {
		p.idle = append(p.idle, id)
		p.mu.Unlock()
		return
	}
	p.mu.Unlock()
	// Refused only where no switch is possible at all, and then it is kept
	// parked: nobody holds it, and its goroutine stays.
	_ = id.Vacate()
}
