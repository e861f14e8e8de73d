package mmapstack

import (
	"os"

	"github.com/stackhop/stackhop"
)

const (
	// DefaultSize is the usable size that 0 stands for, in bytes.
	DefaultSize = 64 << 10

	// MinSize is the least size of a stack, in bytes. Mapped stacks are
	// rounded up to whole pages.
	MinSize = stackhop.MinRegion

	// MaxSize is the greatest size of a stack, in bytes.
	MaxSize = 1 << maxShift

	// Colours and ColourStep say where successive stacks start: see the
	// package's policy numbers.
	Colours    = 8
	ColourStep = 128

	// IdleLive is how many bytes below Top an idle stack keeps. What is
	// attached to an idle stack may have live frames there and nowhere else.
	IdleLive = 2048

	maxShift = 26 + 4*(^uint(0)>>63) // 64 MiB on 32 bits, 1 GiB on 64
)

// A layout is how stacks of one size lie in a slab.
type layout struct {
	size    int // memory of one stack, whole pages
	gap     int // guard between two stacks, whole pages
	dead    int // what the dead space of the highest stack takes above its memory, whole pages
	first   int // of a stack that grows: its first window
	reserve int // likewise: what of size is below the limit, whole pages
	widest  int // likewise: its widest window
}

// newLayout rounds size and guard up to whole pages. 0 bytes of either stand for the default.
func newLayout(size, guard int, grow growth) (layout, error) {
	if size == 0 {
		size = DefaultSize
		if grow.set {
			size = GrowDefault
		}
	}
	what, most := "stack size", MaxSize
	if grow.set {
		what, most = "size of a stack that grows", GrowMax
	}
	if size < MinSize || size > most {
		return layout{}, &SizeError{what, size, MinSize, most}
	}
	if guard < 0 || guard > MaxSize {
		return layout{}, &SizeError{"guard size", guard, 0, MaxSize}
	}
	size = pageCeil(size)
	if grow.set {
		return grow.layout(size, guard)
	}
	return layout{size: size, gap: gapFor(guard), dead: pageCeil(int(deadFor(uintptr(size))) + stackhop.RegionAlign)}, nil
}

// gapFor is one page, or what is asked for if that is more.
func gapFor(guard int) int { return pageCeil(max(guard, 1)) }

// usable is what a body can use of a stack.
func (l layout) usable() int { return l.size - l.reserve }

// deadFor returns how much dead space a window with usable bytes below it
// needs: a quarter of the window, and the window no power of two.
func deadFor(usable uintptr) uintptr {
	dead := alignUp(usable/3, stackhop.RegionAlign)
	if w := usable + dead; w&(w-1) == 0 {
		dead += stackhop.RegionAlign
	}
	return dead
}

// stride is the distance from one stack of a slab to the next.
func (l layout) stride() int { return l.size + l.gap }

// bytes is the length of a slab of n stacks: the dead space of the highest is
// within, so that no Go heap can lie there (M7).
func (l layout) bytes(n int) int { return n*l.stride() + max(l.gap, l.dead) }

// region returns the window of a stack whose lowest byte is lo.
func (l layout) region(lo uintptr, colour int) stackhop.Region {
	top := lo + uintptr(l.size)
	if off := uintptr(colour%Colours) * ColourStep; uintptr(l.usable()) >= stackhop.MinRegion+Colours*ColourStep {
		top -= off
	}
	if l.first != 0 {
		limit := lo + uintptr(l.reserve)
		return stackhop.Region{Lo: lo, Limit: limit, Top: top, Hi: limit + uintptr(l.widest), First: uintptr(l.first)}
	}
	// At most l.dead past the end of the memory: a colour takes 128 bytes from the
	// usable part and a third of that from the dead space.
	return stackhop.Region{Lo: lo, Top: top, Hi: top + deadFor(top-lo)}
}

// slabStacks returns how many stacks the n-th slab of a pool holds.
func (l layout) slabStacks(n int) int {
	const maxBytes = 64 << 20
	return max(1, min(16<<min(n, 6), maxBytes/l.stride()))
}

func pageCeil(n int) int {
	page := os.Getpagesize()
	return (n + page - 1) &^ (page - 1)
}

func alignUp(n, to uintptr) uintptr   { return (n + to - 1) &^ (to - 1) }
func alignDown(n, to uintptr) uintptr { return n &^ (to - 1) }
