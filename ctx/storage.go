package ctx

import (
	"errors"
	"fmt"
	"sync"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/guard"
	"github.com/stackhop/stackhop/mmapstack"
)

// acquire finds or makes an identity on the storage that is asked for.
func acquire(set *settings) (*identity, error) {
	switch set.storage {
	case optNone, optNative:
		return natives.get()
	case optStack:
		return fromCaller(set.stack)
	case optSize:
		return sized(set)
	}
	if portable() {
		return natives.get()
	}
	if set.storage == optStrict {
		return fromPool(mmapstack.Default(set.size))
	}
	return fromPool(set.pool)
}

// sized returns an identity on a stack that grows in place up to the size asked
// for, or where there can be none, on one of the runtime.
func sized(set *settings) (*identity, error) {
	pool, err := guard.Default(set.size)
	if err == nil {
		var id *identity
		if id, err = fromPool(pool); err == nil {
			return id, nil
		}
	}
	switch {
	case !unmappable(err):
		return nil, err
	case set.noFallback:
		return nil, WithStackSize(set.size).refused("no such stack can be mapped here", err)
	}
	return natives.get()
}

// unmappable reports whether err says that no stack of the kind can be had in this
// process, however many are free.
func unmappable(err error) bool {
	return errors.Is(err, guard.ErrTrap) || errors.Is(err, stackhop.ErrUnmapped) || errors.Is(err, mmapstack.ErrUnsupported)
}

var portable = sync.OnceValue(func() bool { return stackhop.Backend().Name == "portable" })

// oneTask answers once if a new identity must end with its first task: in a
// bubble, which waits for its goroutines to end, and on the portable backend,
// where only a new goroutine gets the spawner's bubble and labels.
func oneTask() identityKind {
	if stackhop.InBubble() || portable() {
		return once
	}
	return staying
}

// inBubble makes an identity for one task of the caller's bubble: on the
// caller's stack if other is on one, else on a stack of the runtime.
func inBubble(other *identity) (*identity, error) {
	if other.stack == nil || other.kind == pooled {
		return newIdentity(nil, once)
	}
	stack := other.stack
	if err := other.Vacate(); err != nil {
		return nil, err
	}
	sh := callersOf(stack)
	sh.Lock()
	stack.Attach(nil)
	sh.Unlock()
	return fromCaller(stack)
}

// release gives the storage back, when no frame of a task is left on it (T3).
func (id *identity) release() {
	if id.kind == once {
		registry.remove(id)
	}
	switch {
	case id.kind != once && id.coro.Closed():
		id.lost()
	case id.kind == pooled:
		id.stack.Leave()
		id.stack.Pool().Put(id.stack)
	case id.stack != nil:
		id.toCaller()
	case id.kind != once:
		natives.put(id)
	}
}

// lost is release for an identity that serves no more, because its task has ended its
// thread.
func (id *identity) lost() {
	registry.remove(id)
	id.last = nil
	switch {
	case id.stack == nil:
	case id.kind == pooled:
		id.stack.Attach(nil)
		id.stack.Leave()
		id.stack.Pool().Put(id.stack)
	default:
		sh := callersOf(id.stack)
		sh.Lock()
		id.busy = false
		id.stack.Leave()
		id.stack.Attach(nil)
		sh.Unlock()
	}
}

func fromPool(pool *mmapstack.Pool) (*identity, error) {
	stack, err := pool.GetAttached()
	if err != nil {
		return nil, err
	}
	if id, ok := stack.Attached().(*identity); ok {
		if id.kind != pooled { // it was made for WithStack
			id.kind = pooled
		}
		_ = stack.Enter() // it is out: no error
		return id, nil
	}
	if err := stack.Evict(); err != nil { // another library's
		pool.Put(stack)
		return nil, err
	}
	if stackhop.InBubble() {
		pool.Put(stack)
		return newIdentity(nil, once)
	}
	id, err := newIdentity(stack, pooled)
	if err != nil {
		pool.Put(stack)
		return nil, err
	}
	stack.Attach(id)
	_ = stack.Enter() // it is out: no error
	return id, nil
}

// callers are shards by the address of the stack: threads that work on different
// stacks mostly do not meet.
var callers [16]callerShard

// A callerShard guards what is attached to the stacks of callers that are its, and
// busy, and roamers.
type callerShard struct {
	sync.Mutex

	// Coroutines that are on no stack. They serve on carved stacks, which mostly
	// are soon closed: so neither the first task on such a stack nor Close needs a
	// coroutine made or ended.
	roamers []*identity

	_ [96]byte // 128 bytes in all: no two share a pair of cache lines
}

// callersOf returns the shard of stack.
func callersOf(stack *mmapstack.Stack) *callerShard {
	const golden = 0x9e3779b97f4a7c15 // 2^64 divided by the golden ratio: neighbours spread
	return &callers[addressOf(stack)*golden>>60]
}

func fromCaller(stack *mmapstack.Stack) (*identity, error) {
	sh := callersOf(stack)
	sh.Lock()
	defer sh.Unlock()
	if err := stack.Enter(); err != nil {
		return nil, notEntered(stack, err)
	}
	id, err := sh.on(stack)
	if err != nil {
		stack.Leave()
	}
	return id, err
}

// notEntered is the error for a stack of the caller's that no task can be on.
func notEntered(stack *mmapstack.Stack, err error) error {
	switch {
	case errors.Is(err, mmapstack.ErrBusy):
		return ErrStackInUse
	case err == mmapstack.ErrIdle:
		return WithStack(stack).refused("need a stack that is out of its pool until the task has ended", err)
	}
	return WithStack(stack).refused("need an open stack", err)
}

// on finds or makes the identity that serves on stack. The caller holds the lock.
func (sh *callerShard) on(stack *mmapstack.Stack) (*identity, error) {
	id, ok := stack.Attached().(*identity)
	switch {
	case stack.Attached() == nil:
	case !ok:
		return nil, WithStack(stack).refused(fmt.Sprintf("a %T is attached to it", stack.Attached()), nil)
	case id.busy:
		return nil, ErrStackInUse
	default:
		if id.kind == pooled {
			id.kind = staying // the caller got it from the pool together with the identity
		}
		id.busy = true
		return id, nil
	}
	if stack.Kind() == mmapstack.Carved && oneTask() != once {
		return sh.fromRoamers(stack), nil
	}
	id, err := newIdentity(stack, oneTask())
	if err != nil {
		return nil, WithStack(stack).refused("need memory that can be a stack", err)
	}
	id.busy = true
	stack.Attach(id)
	return id, nil
}

func (id *identity) toCaller() {
	sh := callersOf(id.stack)
	sh.Lock()
	defer sh.Unlock()
	id.busy = false
	id.stack.Leave()
	if id.kind == once {
		id.stack.Attach(nil)
	}
}

// fromRoamers returns a coroutine that serves on stack, which is carved. The caller
// holds the lock.
func (sh *callerShard) fromRoamers(stack *mmapstack.Stack) *identity {
	var id *identity
	if n := len(sh.roamers); n != 0 {
		id, sh.roamers = sh.roamers[n-1], sh.roamers[:n-1]
	} else {
		id = &identity{kind: roaming}
		id.coro.InitRoaming()
		id.coro.SetLocal(id)
		registry.add(id)
	}
	id.stack, id.busy = stack, true
	stack.Attach(id)
	return id
}

// toRoamers is for one that has left its stack. It reports false if there are
// enough.
func (id *identity) toRoamers() bool {
	sh := callersOf(id.stack)
	id.stack = nil
	sh.Lock()
	defer sh.Unlock()
	if len(sh.roamers) >= roamersKept/len(callers) {
		return false
	}
	sh.roamers = append(sh.roamers, id)
	return true
}

// roamersKept is how many idle coroutines without a stack are kept.
const roamersKept = 256
