package mmapstack

import (
	"math/bits"

	"github.com/stackhop/stackhop"
)

// What stacks that grow are like by default; see the package's policy numbers.
const (
	GrowDefault  = 128 << 10 // usable bytes
	FirstDefault = 8 << 10   // bytes of the first window

	// ReserveDefault is the least reserve by default; it is half the size if
	// that is more.
	ReserveDefault = 64 << 10

	// GrowMax is the greatest size of a stack that grows. The runtime gives up
	// above (debug.SetMaxStack: 1 GB, of which an overflow needs eight times the size).
	GrowMax = 64 << 20
)

// growth is what WithGrowth and WithPoolGrowth ask for.
type growth struct {
	set            bool
	first, reserve int
}

// WithGrowth asks for a stack that grows in place, up to its size (see
// stackhop.Region): it starts with a window of first bytes, 0 for
// FirstDefault, and has reserve bytes, 0 for half the size, for the panic of an
// overflow and what the deferred calls do. Such a stack is for a coroutine only
// while growth is enabled, which package guard does.
//
// Deferred calls that recover and panic again at each level of a recursion run on
// top of all frames, since Go gives a frame up only when a panic has been
// recovered for good: encoding/json's need four tenths of the size. Ask for a
// larger reserve if the program's own need more.
func WithGrowth(first, reserve int) Option {
	return func(o *options) { o.grow = growth{true, first, reserve} }
}

// WithPoolGrowth makes the pool's stacks such that grow in place, as by WithGrowth.
func WithPoolGrowth(first, reserve int) PoolOption {
	return func(p *Pool) { p.grow = growth{true, first, reserve} }
}

// layout is that of stacks with size usable bytes, whole pages, GrowMax at most. The widest
// window is a power of two, and a quarter of it at least is dead space even when
// it has slid to the end of the reserve.
func (g growth) layout(size, guard int) (layout, error) {
	first, reserve := g.first, g.reserve
	if first == 0 {
		first = FirstDefault
	}
	if reserve == 0 {
		reserve = max(ReserveDefault, size/2)
	}
	if reserve < stackhop.MinReserve || reserve > 4*size+ReserveDefault {
		return layout{}, &SizeError{"reserve", reserve, stackhop.MinReserve, 4*size + ReserveDefault}
	}
	l := layout{reserve: pageCeil(reserve)}
	l.size = size + l.reserve
	l.widest = 1 << bits.Len(uint(l.size/3*4-1))
	if first < stackhop.MinWindow || first > l.widest || first&(first-1) != 0 {
		return layout{}, &SizeError{"first window (a power of two)", first, stackhop.MinWindow, l.widest}
	}
	l.first = first
	l.gap, l.dead = gapFor(guard), l.widest-size
	return l, nil
}
