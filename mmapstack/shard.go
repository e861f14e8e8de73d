package mmapstack

import (
	"sync"
	"sync/atomic"
)

// A shard is a part of a pool's idle stacks: one in a slot that a single
// atomic operation empties or fills, the others in two lists, last in first
// out.
type shard struct {
	top  atomic.Pointer[Stack]
	n    atomic.Int32 // stacks in both lists; written under mu
	nhot int32        // stacks in hot; guarded by mu
	mu   sync.Mutex   // guards what follows
	hot  *Stack       // with all their pages
	lean *Stack       // with the top alone
	done uint64       // Puts of the stacks that were in the lists
	_    [80]byte     // 128 bytes in all
}

// shardIndex spreads goroutines over the shards by where their stacks are.
// Frames within 2 KiB of one goroutine's stack mostly agree.
func (p *Pool) shardIndex() int {
	const golden = 0x9e3779b97f4a7c15 // 2^64 divided by the golden ratio: neighbours spread
	return int(uint64(stackHint()>>11) * golden >> p.shift)
}

// lock takes the shard's lock, or gives up at once unless told to wait.
func (sh *shard) lock(wait bool) bool {
	if wait {
		sh.mu.Lock()
		return true
	}
	return sh.mu.TryLock()
}

// take returns an idle stack of the shard, or nil.
func (sh *shard) take(wait bool) *Stack {
	if sh.top.Load() != nil {
		if s := sh.top.Swap(nil); s != nil {
			return s
		}
	}
	if sh.n.Load() == 0 || !sh.lock(wait) {
		return nil
	}
	defer sh.mu.Unlock()
	return sh.pop()
}

// pop returns a stack of the lists, hot ones first. The caller holds the lock.
func (sh *shard) pop() *Stack {
	list := &sh.hot
	if *list == nil {
		list = &sh.lean
	}
	s := *list
	if s != nil {
		*list, s.next = s.next, nil
		sh.n.Add(-1)
		if !s.lean {
			sh.nhot--
		}
	}
	return s
}

// put puts s into a list if the lists hold fewer than limit. Of more than hot
// stacks with all their pages, some keep only the top: leaned many.
func (sh *shard) put(s *Stack, limit, hot int, wait bool) (ok bool, leaned int) {
	if int(sh.n.Load()) >= limit || !sh.lock(wait) {
		return false, 0
	}
	defer sh.mu.Unlock()
	if int(sh.n.Load()) >= limit {
		return false, 0
	}
	sh.push(s)
	if int(sh.nhot) > hot {
		leaned = sh.makeLean(min(hot/2+1, maxAhead))
	}
	return true, leaned
}

// makeLean gives back the pages of n hot stacks but those with the topmost
// IdleLive bytes, by one system call. The caller holds the lock.
func (sh *shard) makeLean(n int) int {
	var parts [maxAhead][]byte
	k := 0
	for range n {
		s := sh.hot
		if part := s.slab.pages(s, IdleLive); len(part) != 0 {
			parts[k] = part
			k++
		}
		sh.hot = s.next
		s.lean = true
		s.next, sh.lean = sh.lean, s
		sh.nhot--
	}
	discardAll(parts[:k])
	return n
}

// push puts s into its list. The caller holds the lock.
func (sh *shard) push(s *Stack) {
	sh.done += uint64(s.uses)
	s.uses = 0
	list := &sh.hot
	if s.lean {
		list = &sh.lean
	} else {
		sh.nhot++
	}
	s.next, *list = *list, s
	sh.n.Add(1)
}

// settle moves the slot's stack into the lists, so that all is counted. The
// caller holds the lock.
func (sh *shard) settle() {
	if s := sh.top.Swap(nil); s != nil {
		sh.push(s)
	}
}
