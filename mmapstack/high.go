package mmapstack

// HighWater returns how many bytes below Top have been used: the distance from
// Top to the lowest word that is not zero, 0 if there is none. Memory is zero when
// it is mapped, and again when its pages were given back: so the mark counts from
// there, over all tasks that the stack has served since, or from
// ResetHighWater. For a pool made WithHighWater, and while WatchSites is on, it
// counts from Get.
//
// It is exact to where the deepest call wrote; what the deepest frame reserved and
// did not write is not seen, nor is a page that is swapped out: in these it is a
// lower bound. It is an upper bound for memory that was not zero to begin with:
// a carved stack's, which others have used before it, static memory on its second
// use, and anything on a system other than Linux, where pages that were given back
// keep their bytes for a while. ResetHighWater makes these exact.
// While stacks are carved from the stack, it is that of the rest; afterwards
// theirs is part of it. On a stack that grows, more than Size is the reserve.
//
// It may be called while a coroutine runs on the stack. It costs one system call for
// each megabyte of untouched memory, and the reading of the lowest touched page;
// untouched pages stay so.
func (s *Stack) HighWater() int {
	mem := s.memory()
	if mem == nil {
		return 0
	}
	return len(mem) - lowestUsed(mem)
}

// ResetHighWater has HighWater count from now on, by making zero of what is used
// below the topmost IdleLive bytes. Nothing may live there. A mark of no more
// than IdleLive may be of what was before.
//
// ResetHighWater panics while a coroutine is on the stack (see Enter), and while
// the stack is idle in its pool.
func (s *Stack) ResetHighWater() {
	switch s.state {
	case stateEntered:
		panic("mmapstack: ResetHighWater of a stack that a coroutine is on; call it between two")
	case stateIdle:
		panic("mmapstack: ResetHighWater of a stack that is idle in its pool; call it between Get and Put")
	}
	mem := s.memory()
	if len(mem) <= IdleLive {
		return
	}
	mem = mem[:len(mem)-IdleLive]
	clear(mem[lowestUsed(mem):])
}

// memory is [Lo, Top) of an open stack, nil of others.
func (s *Stack) memory() []byte {
	if s.state == stateFree || s.top == 0 {
		return nil
	}
	root := s
	for root.kind == Carved {
		root = root.carving.parent
	}
	var whole []byte
	if root.slab != nil {
		whole = root.slab.mem
	} else {
		whole = root.carving.static.mem
	}
	base := addrOf(whole)
	return whole[s.lo()-base : s.top-base]
}

// lowestUsed returns the index of the lowest word of mem that is not zero, or its
// length.
func lowestUsed(mem []byte) int {
	const block, word = 256, 8
	var zeros [block]byte
	i := untouched(mem)
	for i+block <= len(mem) && string(mem[i:i+block]) == string(zeros[:]) {
		i += block
	}
	for ; i < len(mem); i++ {
		if mem[i] != 0 {
			return i &^ (word - 1) // Lo is a multiple of RegionAlign
		}
	}
	return len(mem)
}
