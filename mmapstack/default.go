package mmapstack

import (
	"math/bits"
	"sync/atomic"
)

var defaults [maxShift + 1]atomic.Pointer[Pool]

// Default returns the process's pool of stacks of at least size usable bytes,
// 0 for DefaultSize. There is one per power of two, made on first use, never
// closed. For a size out of range, or on a system without mapped stacks, it
// returns a pool with a Get that returns the error.
func Default(size int) *Pool {
	if size == 0 {
		size = DefaultSize
	}
	class := bits.Len(uint(max(size, MinSize) - 1))
	if size < 0 || size > MaxSize {
		return failing(&SizeError{"stack size", size, MinSize, MaxSize})
	}
	if p := defaults[class].Load(); p != nil {
		return p
	}
	p, err := NewPool(1 << class)
	if err != nil {
		return failing(err)
	}
	if !defaults[class].CompareAndSwap(nil, p) {
		return defaults[class].Load()
	}
	return p
}

// TrimDefaults is Trim of all pools of Default: it returns how many idle stacks it
// freed.
func TrimDefaults() (n int) {
	for i := range defaults {
		if p := defaults[i].Load(); p != nil {
			n += p.Trim()
		}
	}
	return n
}

// failing returns a pool without shards.
func failing(err error) *Pool { return &Pool{err: err, closed: true, shift: 64} }
