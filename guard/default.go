package guard

import (
	"math/bits"
	"sync/atomic"

	"github.com/stackhop/stackhop/mmapstack"
)

// defaults has the pools of Default, by the power of two of their size.
var defaults [64]atomic.Pointer[mmapstack.Pool]

// Default returns the process's pool of growing stacks of at least size usable
// bytes, 0 for mmapstack.GrowDefault. There is one for each power of two, made
// on first use and never closed. ctx.WithStackSize takes its stacks from these.
// Default is safe for concurrent use, as its pools are.
//
// Errors: *TrapError where the trap cannot be had, also on the portable backend;
// *mmapstack.SizeError above mmapstack.GrowMax; mmapstack.ErrUnsupported.
func Default(size int) (*mmapstack.Pool, error) {
	if size == 0 {
		size = mmapstack.GrowDefault
	}
	if size < 0 || size > mmapstack.GrowMax {
		return nil, &mmapstack.SizeError{What: "size of a stack that grows", Value: size, Min: mmapstack.MinSize, Max: mmapstack.GrowMax}
	}
	class := bits.Len(uint(max(size, mmapstack.MinSize) - 1))
	if p := defaults[class].Load(); p != nil {
		return p, nil
	}
	if err := Install(); err != nil {
		return nil, err
	}
	p, err := NewPool(Growing, 1<<class)
	if err != nil {
		return nil, err
	}
	if !defaults[class].CompareAndSwap(nil, p) {
		return defaults[class].Load(), nil
	}
	return p, nil
}

// TrimDefaults is Trim of all pools of Default, and of those from which Grow takes
// auxiliary stacks. It returns how many idle stacks it freed.
func TrimDefaults() (n int) {
	for _, sizes := range []*[64]atomic.Pointer[mmapstack.Pool]{&defaults, &pools[Strict], &pools[Growing]} {
		for i := range sizes {
			if p := sizes[i].Load(); p != nil {
				n += p.Trim()
			}
		}
	}
	return n
}
