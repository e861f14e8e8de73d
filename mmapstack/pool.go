package mmapstack

import (
	"fmt"
	"math"
	"math/bits"
	"runtime"
	"sync"
	"sync/atomic"
)

// What a pool does by default; see the package's policy numbers.
const (
	MaxDefault  = 1 << 20     // stacks mapped at most
	IdleDefault = 4 * MaxSize // bytes that idle stacks hold at most: see WithIdleBytes
	KeepDefault = 64 << 20    // bytes of idle stacks that keep all their pages
)

// maxAhead is how many stacks at most one system call serves: guards and first
// pages of stacks that are about to be used, pages of those that are idle.
const maxAhead = 64

// A PoolOption changes what NewPool makes.
type PoolOption func(*Pool)

// WithMax lets the pool map at most n stacks, in use and idle together.
func WithMax(n int) PoolOption { return func(p *Pool) { p.max = n } }

// WithIdleBytes lets idle stacks hold at most n bytes of memory together. Put
// frees what is beyond: it evicts what is attached, and gives the pages back; the
// address space stays in the pool. The default is IdleDefault, or a quarter of
// the machine's memory if that is less.
//
// An idle stack counts as the pages that it keeps: all of its size as long as
// WithKeep allows, otherwise those with the topmost IdleLive bytes, which is one
// page: 4 KiB on most systems, 16 or 64 KiB on some arm64 ones. What else a
// coroutine costs while it is idle, some 3 KiB of Go memory for a task of package
// ctx, is not counted.
func WithIdleBytes(n int) PoolOption { return func(p *Pool) { p.idle = n } }

// WithKeep lets idle stacks keep all their pages as long as their sizes add up
// to at most n bytes, within those of WithIdleBytes.
func WithKeep(n int) PoolOption { return func(p *Pool) { p.keep = n } }

// WithPoolGuard asks for guards of at least n bytes, in whole pages.
func WithPoolGuard(n int) PoolOption { return func(p *Pool) { p.lay.gap = n } }

// WithOnFree has fn called with the attached value of an idle stack before the
// stack's memory goes away. On return nothing may live on the stack. Without
// it, an attached Occupant is asked. fn is called with no lock held.
func WithOnFree(fn func(attached any)) PoolOption { return func(p *Pool) { p.onFree = fn } }

// A Pool hands out mapped stacks of one size and takes them back. It is safe
// for concurrent use. A warm Get or Put takes one atomic operation and does not
// allocate; goroutines that get and put at the same time do so on different
// shards, and get back the stack that they last put.
//
// A pool is not collected with its stacks: Close it.
type Pool struct {
	lay    layout
	max    int
	idle   int
	keep   int
	guard  guardKind
	grow   growth
	marks  *marks // nil unless WithHighWater
	clear  bool   // WithClear
	onFree func(any)
	err    error // what Get answers if the pool was made with a bad size

	shards  []shard
	watch   uint32 // of watchMarks and watchClear
	shift   uint   // of the hash, to the number of a shard
	hotCap  int    // stacks of one shard that keep their pages
	idleCap int    // idle stacks of one shard, those and others, which keep only the top
	drop    int    // how many freed stacks give their pages back together

	done, leaned, freed atomic.Uint64 // done: Puts of stacks that never got into a list

	mu     sync.Mutex // guards what follows, and slabs
	slabs  []*slab
	cut    int    // stacks made
	cold   *Stack // idle, nothing attached; empty of pages but for the first dirty ones
	ncold  int
	dirty  int
	streak int // stacks made or taken from cold since one was last freed
	misses uint64
	closed bool
}

// NewPool makes a pool of stacks of at least size usable bytes, 0 for
// DefaultSize. It maps nothing yet.
//
// Errors: *SizeError, ErrUnsupported.
func NewPool(size int, opts ...PoolOption) (*Pool, error) {
	p := &Pool{max: MaxDefault, idle: IdleBytesDefault(), keep: KeepDefault, guard: probedGuard()}
	for _, opt := range opts {
		opt(p)
	}
	var err error
	if p.lay, err = newLayout(size, p.lay.gap, p.grow); err != nil {
		return nil, err
	}
	if p.guard == guardNone {
		return nil, ErrUnsupported
	}
	for _, v := range []struct {
		what  string
		value int
		min   int
	}{{"WithMax", p.max, 1}, {"WithIdleBytes", p.idle, 0}, {"WithKeep", p.keep, 0}} {
		if v.value < v.min {
			return nil, &SizeError{v.what, v.value, v.min, int(^uint(0) >> 1)}
		}
	}
	if p.marks != nil {
		p.watch |= watchMarks
	}
	if p.clear {
		p.watch |= watchClear
	}
	p.setShards(runtime.GOMAXPROCS(0))
	return p, nil
}

// setShards makes four times as many shards as there are processors, so that
// two goroutines seldom share one.
func (p *Pool) setShards(procs int) {
	log := min(6, bits.Len(uint(4*procs-1)))
	n := 1 << log
	p.shards = make([]shard, n)
	p.shift = uint(64 - log)
	hot := min(p.keep, p.idle) / p.lay.size
	lean := (p.idle - hot*p.lay.size) / leanBytes()
	share := func(of int) int { return of/n + min(1, of%n) } // rounded up; of may be MaxInt
	p.hotCap, p.idleCap = share(hot), share(min(hot+lean, math.MaxInt32))
	p.drop = max(1, min(hot/16, maxAhead))
}

// leanBytes is what an idle stack keeps at least.
func leanBytes() int { return pageCeil(IdleLive + Colours*ColourStep) }

// IdleBytesDefault returns the bound that WithIdleBytes changes: IdleDefault, or a
// quarter of the machine's memory if that is less.
func IdleBytesDefault() int {
	if memory := machineMemory(); memory != 0 && memory/4 < uint64(IdleDefault) {
		return int(memory / 4)
	}
	return IdleDefault
}

// Size returns the usable bytes of the pool's stacks.
func (p *Pool) Size() int { return p.lay.usable() }

// Get returns a stack that nobody else has, with nothing attached: what was is
// made to leave, as by Trim.
//
// Errors: ErrClosed, *LimitError, *MapError, *BusyError if it does not leave.
func (p *Pool) Get() (*Stack, error) {
	s, err := p.GetAttached()
	if err != nil || s.attached == nil {
		return s, err
	}
	if err := s.Evict(); err != nil {
		p.Put(s)
		return nil, err
	}
	return s, nil
}

// GetAttached is Get for a library that attaches values of its own: the stack
// comes with what was last attached to it, by whomever, whose frames are live.
// A caller that does not know the value must Evict it before it uses the memory.
//
// Errors: ErrClosed, *LimitError, *MapError.
func (p *Pool) GetAttached() (*Stack, error) {
	i := p.shardIndex()
	if uint(i) >= uint(len(p.shards)) {
		return nil, p.unmade()
	}
	sh := &p.shards[i]
	if sh.top.Load() != nil {
		if s := sh.top.Swap(nil); s != nil {
			s.state, s.home = stateOut, uint8(i)
			if watch := watching.Load() | p.watch; watch != 0 {
				taken(s, watch)
			}
			return s, nil
		}
	}
	return p.getSlow(i)
}

// Put takes a stack back that Get gave. Nothing may live on it but what is
// attached to it, in the topmost IdleLive bytes.
//
// Put panics if s came from elsewhere, was put already, has a coroutine on it
// (see Stack.Enter; a suspended task is one), or has carved stacks open: the
// memory would come to serve two at once. Two Puts at the same time are not
// always noticed.
func (p *Pool) Put(s *Stack) {
	if s == nil || s.Pool() != p || s.state != stateOut || s.carving != nil && s.carving.last != nil {
		p.misput(s)
	}
	sh := &p.shards[s.home]
	s.state = stateIdle
	if s.uses++; s.uses == 0 {
		p.done.Add(1 << 16)
	}
	if watch := watching.Load() | p.watch; watch != 0 {
		given(s, watch)
	}
	// An idle stack in the slot counts as hot, whatever the limits.
	if p.hotCap == 0 || !sh.top.CompareAndSwap(nil, s) {
		p.putSlow(s)
	}
}

func (p *Pool) misput(s *Stack) {
	switch {
	case s == nil:
		panic("mmapstack: Put of a nil stack")
	case s.Pool() == nil && s.state == stateFree:
		panic("mmapstack: Put of a closed stack; drop the second release")
	case s.Pool() != p:
		panic(fmt.Sprintf("mmapstack: Put of a %v stack that came from elsewhere; put it into its own pool, or Close it", s.kind))
	case s.state == stateEntered:
		panic("mmapstack: Put of a stack that a coroutine is on; let the coroutine or task end first, or cancel it. " +
			"A stack that ctx took from the pool goes back by itself")
	case s.state != stateOut:
		panic("mmapstack: Put of a stack that is not out; drop the second Put")
	}
	panic(fmt.Sprintf("mmapstack: Put of a stack with %d carved stacks open; close them first", s.carvings()))
}

// unmade returns why a pool without shards has no stacks.
func (p *Pool) unmade() error {
	if p.err == nil { // a zero Pool
		return ErrClosed
	}
	return p.err
}

// getSlow looks where the slot of shard i was empty: its lists, the other
// shards, cold stacks, new ones.
func (p *Pool) getSlow(i int) (*Stack, error) {
	for n := range p.shards {
		sh := &p.shards[(i+n)%len(p.shards)]
		if s := sh.take(false); s != nil {
			return p.out(s, i), nil
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, ErrClosed
	}
	if s := p.takeCold(); s != nil {
		p.misses++
		return p.out(s, i), nil
	}
	if p.cut >= p.max {
		// A shard that was busy a moment ago may have one.
		for n := range p.shards {
			if s := p.shards[n].take(true); s != nil {
				return p.out(s, i), nil
			}
		}
		return nil, &LimitError{p.max, p.lay.usable()}
	}
	s, err := p.cutStack()
	if err != nil {
		return nil, err
	}
	p.misses++
	return p.out(s, i), nil
}

// out makes s the caller's.
func (p *Pool) out(s *Stack, i int) *Stack {
	s.state, s.home, s.lean = stateOut, uint8(i), false
	if watch := watching.Load() | p.watch; watch != 0 {
		taken(s, watch)
	}
	return s
}

// cutStack makes a stack, of a new slab if need be. The caller holds p.mu.
func (p *Pool) cutStack() (*Stack, error) {
	var sl *slab
	if n := len(p.slabs); n > 0 && p.slabs[n-1].cut < p.slabs[n-1].count {
		sl = p.slabs[n-1]
	} else {
		var err error
		if sl, err = newSlab(p.lay, min(p.lay.slabStacks(n), p.max-p.cut), p.guard, 0); err != nil {
			return nil, err
		}
		sl.pool = p
	}
	p.streak++
	s, err := sl.cutStack(p.ahead())
	if err != nil {
		if sl.cut == 0 {
			_ = sl.unmap() // the first error is the one to tell
		}
		return nil, err
	}
	if sl.cut == 1 {
		p.slabs = append(p.slabs, sl)
	}
	p.cut++
	return s, nil
}

// takeCold returns a cold stack, or nil. The caller holds p.mu.
func (p *Pool) takeCold() *Stack {
	s := p.cold
	if s == nil {
		return nil
	}
	p.streak++
	if p.dirty == 0 {
		p.warm(p.ahead())
	}
	p.cold, s.next = s.next, nil
	p.ncold--
	p.dirty = max(0, p.dirty-1)
	return s
}

// ahead returns for how many stacks to make guards and first pages when one is wanted.
// It grows with the number of stacks wanted lately.
func (p *Pool) ahead() int { return min(p.streak/8, maxAhead, max(1, (1<<20)/pageCeil(1))) }

// warm makes the pages resident that the first n cold stacks will begin in. None
// of the cold ones is dirty. The caller holds p.mu.
func (p *Pool) warm(n int) {
	if n < 2 {
		return
	}
	var tops [maxAhead][]byte
	k := 0
	for s := p.cold; s != nil && k < n; s = s.next {
		tops[k] = s.slab.topPage(s)
		k++
	}
	if p.cold.slab.guard == guardMadvise && populate(tops[:k]) {
		p.dirty = k
	}
}

// putSlow finds room for a stack when its home slot is taken, among the idle ones
// or, if these hold too much memory, among the cold ones.
func (p *Pool) putSlow(s *Stack) {
	if p.push(s, p.idleCap) || p.free(s) != nil && p.push(s, math.MaxInt32) {
		return
	}
	p.mu.Lock()
	p.streak = 0
	p.pushCold(s)
	p.mu.Unlock()
}

// push puts s into a shard that has fewer idle stacks than limit, its home
// first, and reports whether there was one.
func (p *Pool) push(s *Stack, limit int) bool {
	for _, wait := range [2]bool{false, true} {
		home := int(s.home)
		for n := range p.shards {
			ok, leaned := p.shards[(home+n)%len(p.shards)].put(s, limit, p.hotCap, wait)
			if ok {
				if leaned != 0 {
					p.leaned.Add(uint64(leaned))
				}
				return true
			}
		}
	}
	return false
}

// free evicts what is attached to an idle stack. Its pages are given back later.
func (p *Pool) free(s *Stack) error {
	if err := s.evict(p.onFree); err != nil {
		return err
	}
	p.done.Add(uint64(s.uses))
	s.uses = 0
	p.freed.Add(1)
	return nil
}

// pushCold takes a freed stack, which may have pages, for a cold one. The caller
// holds p.mu.
func (p *Pool) pushCold(s *Stack) {
	s.next, p.cold = p.cold, s
	p.ncold++
	if p.dirty++; p.dirty >= p.drop {
		p.cool()
	}
}

// cool gives back the pages of the cold stacks. The caller holds p.mu.
func (p *Pool) cool() {
	var parts [maxAhead][]byte
	k := 0
	for s := p.cold; p.dirty > 0; s = s.next {
		parts[k] = s.slab.pages(s, 0)
		p.dirty--
		if k++; k == len(parts) || p.dirty == 0 {
			discardAll(parts[:k])
			k = 0
		}
	}
}
