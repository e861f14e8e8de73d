package ctx

import (
	"errors"
	"math/bits"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/stackhop/stackhop/guard"
	"github.com/stackhop/stackhop/mmapstack"
)

// idleOverhead is what an idle coroutine on a stack of the runtime takes besides
// the stack, in bytes: a g of 440 to 500, an identity of 192, a Task of 128.
const idleOverhead = 1 << 10

// natives keeps idle coroutines on stacks of the runtime for the next tasks.
var natives nativePool

// A nativePool is a set of shards, so that goroutines on different threads
// mostly do not meet. A warm get or put is one atomic operation.
type nativePool struct {
	shards [maxNativeShards]nativeShard
	once   sync.Once
	n      int   // shards in use, a power of two
	shift  uint  // of the hash, to the number of a shard
	limit  int64 // bytes
}

const maxNativeShards = 64

// A nativeShard has one idle identity in a slot, which a single atomic operation
// empties or fills and which the limit does not count, and the others in a list,
// last in first out.
type nativeShard struct {
	top   atomic.Pointer[identity]
	n     atomic.Int32 // len(list), for a look without the lock
	mu    sync.Mutex   // guards what follows
	list  []idleNative
	bytes int64 // of list
	_     [128 - 56]byte
}

type idleNative struct {
	id    *identity
	bytes int64
}

// init makes four times as many shards as there are processors, so that two
// goroutines seldom share one.
func (p *nativePool) init() {
	p.limit = int64(mmapstack.IdleBytesDefault())
	log := min(bits.Len(maxNativeShards-1), bits.Len(uint(4*runtime.GOMAXPROCS(0)-1)))
	p.n, p.shift = 1<<log, uint(64-log)
}

// home is the shard for the calling goroutine: frames within 2 KiB of one
// goroutine's stack mostly agree.
func (p *nativePool) home() uint8 {
	p.once.Do(p.init)
	const golden = 0x9e3779b97f4a7c15 // 2^64 divided by the golden ratio: neighbours spread
	return uint8(uint64(stackHint()>>11) * golden >> p.shift)
}

// get returns an idle identity, or a new one.
func (p *nativePool) get() (*identity, error) {
	home := p.home()
	if sh := &p.shards[home]; sh.top.Load() != nil {
		if id := sh.top.Swap(nil); id != nil {
			id.home = home
			return id, nil
		}
	}
	return p.getSlow(home)
}

//go:noinline
func (p *nativePool) getSlow(home uint8) (*identity, error) {
	for i := range p.n {
		if id := p.shards[(int(home)+i)&(p.n-1)].take(i == 0); id != nil {
			id.home = home
			return id, nil
		}
	}
	id, err := newIdentity(nil, oneTask())
	if err != nil {
		return nil, err
	}
	id.home = home
	return id, nil
}

// put takes back the identity of a task that has ended. Beyond the limit, put ends
// the identity.
func (p *nativePool) put(id *identity) {
	sh := &p.shards[id.home]
	if sh.top.Load() == nil && sh.top.CompareAndSwap(nil, id) {
		return
	}
	p.putSlow(id)
}

//go:noinline
func (p *nativePool) putSlow(id *identity) {
	size := int64(id.coro.NativeBytes() + idleOverhead)
	limit := atomic.LoadInt64(&p.limit) / int64(p.n)
	for i := range p.n {
		if p.shards[(int(id.home)+i)&(p.n-1)].put(idleNative{id, size}, limit) {
			return
		}
	}
	// Vacate fails only where no switch is possible at all. The coroutine then stays
	// parked: nothing refers to it, and its goroutine stays.
	_ = id.Vacate()
}

// take returns an idle identity of the shard, or nil.
func (sh *nativeShard) take(wait bool) *identity {
	if sh.top.Load() != nil {
		if id := sh.top.Swap(nil); id != nil {
			return id
		}
	}
	if sh.n.Load() == 0 {
		return nil
	}
	if wait {
		sh.mu.Lock()
	} else if !sh.mu.TryLock() {
		return nil
	}
	defer sh.mu.Unlock()
	last := len(sh.list) - 1
	if last < 0 {
		return nil
	}
	e := sh.list[last]
	sh.list[last] = idleNative{}
	sh.list = sh.list[:last]
	sh.bytes -= e.bytes
	sh.n.Store(int32(last))
	return e.id
}

// put keeps e if the shard stays within limit bytes.
func (sh *nativeShard) put(e idleNative, limit int64) bool {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.bytes+e.bytes > limit {
		return false
	}
	sh.list = append(sh.list, e)
	sh.bytes += e.bytes
	sh.n.Store(int32(len(sh.list)))
	return true
}

// drain takes all idle identities out.
func (p *nativePool) drain() (ids []*identity) {
	for i := range p.shards {
		sh := &p.shards[i]
		if id := sh.top.Swap(nil); id != nil {
			ids = append(ids, id)
		}
		sh.mu.Lock()
		for _, e := range sh.list {
			ids = append(ids, e.id)
		}
		sh.list, sh.bytes = nil, 0
		sh.n.Store(0)
		sh.mu.Unlock()
	}
	return ids
}

// SetIdleLimit bounds the idle coroutines on stacks of the runtime that the process
// keeps for later tasks, in bytes, stacks and bookkeeping together,
// and returns the bound that was in force; mmapstack.IdleBytesDefault is the first. Idle
// coroutines are in lists, up to four times GOMAXPROCS; the bound holds to within one
// coroutine a list. When a task ends beyond the bound, its goroutine ends; a task that
// starts when no coroutine is idle starts a goroutine. Each costs about what a plain
// goroutine costs. If bytes is smaller than the bound before, idle coroutines beyond it
// end now. A negative number counts as 0. SetIdleLimit may be called at any time, from
// any goroutine.
//
// Mapped stacks have bounds of their own: see mmapstack.WithKeep and
// mmapstack.WithIdleBytes.
func SetIdleLimit(bytes int) (before int) {
	natives.once.Do(natives.init)
	before = int(atomic.SwapInt64(&natives.limit, int64(max(bytes, 0))))
	if bytes < before {
		for _, id := range natives.drain() {
			natives.put(id)
		}
	}
	return before
}

// RetireIdle ends every coroutine that waits for its next task: those on stacks of
// the runtime, those that served on carved stacks, and those on idle stacks of the
// pools of guard.Default, mmapstack.Default and guard.Grow. It unmaps the memory of
// slabs that are idle as a whole. Their goroutines are gone when it returns:
// runtime.NumGoroutine counts only what is in use, and when all tasks have ended, a
// leak detector such as goleak finds nothing. Tasks may start and end
// meanwhile.
//
// Coroutines on stacks and in pools of the caller's own stay until Stack.Close,
// Pool.Trim or Pool.Close.
//
// It returns how many coroutines it has ended, and the first error. A coroutine that
// the caller cannot switch to stays; its error is a *stackhop.ThreadLockError or
// stackhop.ErrBubble.
func RetireIdle() (n int, err error) {
	n, err = retire(natives.drain(), natives.put)
	for i := range callers {
		sh := &callers[i]
		sh.Lock()
		ids := sh.roamers
		sh.roamers = nil
		sh.Unlock()
		more, first := retire(ids, func(id *identity) {
			sh.Lock()
			sh.roamers = append(sh.roamers, id)
			sh.Unlock()
		})
		n += more
		err = errors.Join(err, first)
	}
	return n + guard.TrimDefaults() + mmapstack.TrimDefaults(), err
}

// retire ends ids, and gives those back that cannot end.
func retire(ids []*identity, back func(*identity)) (n int, first error) {
	for _, id := range ids {
		if err := id.close(); err != nil {
			back(id)
			if first == nil {
				first = err
			}
			continue
		}
		n++
	}
	return n, first
}
