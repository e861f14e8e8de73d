package stackhop

import (
	"errors"
	"fmt"
)

// A Region is the memory of one coroutine stack, given by its owner. Addresses
// are bytes; the memory must not be Go heap. Low to high:
//
//	       Lo                                Top              Hi
//	guard ──┼──────────── usable ── header ───┼── dead space ──┤
//
// [Lo, Top) is readable and writable. [Top, Hi) is address space that the body
// does not touch: it need not be mapped, and may be the memory of other stacks,
// but must never be Go heap, since the collector takes a pointer into [Lo, Hi)
// for one into the body's stack. It exists because the garbage collector
// moves a stack that uses less than a quarter of its window [Lo, Hi) to the
// Go heap (runtime.shrinkstack, stack.go, Go 1.25 to 1.27), and a dead space
// of a quarter counts as used. Any guard below Lo is the owner's business.
//
// With First set, the stack grows in place (see EnableGrowth):
//
//	       Lo            Limit                     Top              Hi
//	guard ──┼── reserve ───┼── usable ──── header ───┼── dead space ──┤
//
// The body then starts on a window of First bytes and uses up to [Limit, Top);
// the reserve is for the panic that tells it that a call did not fit. Here the
// first page that begins at or above Top must fault when touched: the runtime
// copies a stack upwards from its stack pointer to the end of its window, and so
// comes to that page whatever the size of the window (memmove_amd64.s,
// memmove_arm64.s, Go 1.25 to 1.27; some ways read the last 128 bytes first).
//
// The zero Region asks for a stack that the Go runtime owns and grows.
type Region struct {
	Lo    uintptr // lowest usable byte
	Top   uintptr // first byte past the memory
	Hi    uintptr // first byte past the dead space
	First uintptr // bytes of the first window, a power of two; 0: it does not grow
	Limit uintptr // lowest byte before an overflow; 0 unless it grows
}

const (
	// RegionAlign is what Lo, Top and Hi must be multiples of, in bytes.
	RegionAlign = 16

	// RegionHeader is how many bytes at the top of a Region the kernel keeps
	// for itself.
	RegionHeader = 160

	// MinRegion is the least [Lo, Top) that New accepts, in bytes. The Go
	// runtime's own guard takes 928 of them, and one call of fmt or of a
	// system call wrapper most of the rest.
	MinRegion = 4096

	// MaxRegion is the most [Lo, Hi) that New accepts, in bytes.
	MaxRegion = 1<<36 - RegionAlign

	// MinWindow is the least First of a Region that grows, in bytes: three
	// quarters of a window are usable.
	MinWindow = 8192

	// MinReserve is the least reserve [Lo, Limit) of a Region that grows, in
	// bytes: one overflow, and one retry before it.
	MinReserve = retryStep + panicStep
)

// ErrRegion is the sentinel that every *RegionError matches.
var ErrRegion = errors.New("stackhop: unusable region")

// A RegionError says which rule a Region breaks. It matches ErrRegion.
type RegionError struct {
	Region Region
	Rule   string // the rule that is broken, with its limit
}

func (e *RegionError) Error() string {
	return fmt.Sprintf("stackhop: unusable region lo=%#x top=%#x hi=%#x: %s", e.Region.Lo, e.Region.Top, e.Region.Hi, e.Rule)
}

// Is reports whether target is ErrRegion.
func (e *RegionError) Is(target error) bool { return target == ErrRegion }

// A packedRegion is a Region that was checked, or zero, in 24 bytes: what follows
// lo is in units of RegionAlign, and but for first a distance from it.
type packedRegion struct {
	lo                    uintptr
	top, hi, first, limit uint32
}

// set goes field by field, and r is a pointer, for the same reason: a load of several
// words at once, to copy them, would wait for the stores of the single ones.
func (p *packedRegion) set(r *Region) {
	p.setBounds(r.Lo, r.Top, r.Hi)
	p.first, p.limit = 0, 0
	if r.First != 0 {
		p.first, p.limit = units(r.First), units(r.Limit-r.Lo)
	}
}

func (p *packedRegion) setBounds(lo, top, hi uintptr) {
	p.lo, p.top, p.hi = lo, units(top-lo), units(hi-lo)
}

func units(n uintptr) uint32 { return uint32(n / RegionAlign) }

func (p *packedRegion) unpacked() Region {
	r := Region{Lo: p.lo, Top: p.end(), Hi: p.deadEnd()}
	if p.grows() {
		r.First, r.Limit = uintptr(p.first)*RegionAlign, p.lo+uintptr(p.limit)*RegionAlign
	}
	return r
}

func (p *packedRegion) none() bool  { return p.top == 0 }
func (p *packedRegion) grows() bool { return p.first != 0 }

// end is Top, deadEnd Hi.
func (p *packedRegion) end() uintptr     { return p.lo + uintptr(p.top)*RegionAlign }
func (p *packedRegion) deadEnd() uintptr { return p.lo + uintptr(p.hi)*RegionAlign }

// Check returns nil, or a *RegionError for the first rule that r breaks.
//
//   - Lo, Top and Hi are multiples of RegionAlign, Lo < Top < Hi.
//   - Top - Lo is at least MinRegion, Hi - Lo at most MaxRegion.
//   - What lies above the header's lower end is at least a quarter of Hi - Lo
//     (see Region for why).
//   - Hi - Lo is no power of two. Then an overflow ends in the runtime's own
//     fatal error (runtime.stackalloc) instead of a silent move to the heap.
func (r Region) Check() error {
	if r.First == 0 && r.Limit == 0 && fits(r.Lo, r.Top, r.Hi) {
		return nil
	}
	switch {
	case uint64(r.Hi-r.Lo) > MaxRegion && r.Lo < r.Hi:
		return &RegionError{r, fmt.Sprintf("Hi-Lo is %d bytes, the most is %d", r.Hi-r.Lo, uint64(MaxRegion))}
	case r.First != 0 || r.Limit != 0:
		return r.checkGrowing()
	case r.Lo%RegionAlign != 0 || r.Top%RegionAlign != 0 || r.Hi%RegionAlign != 0:
		return &RegionError{r, fmt.Sprintf("Lo, Top and Hi must be multiples of %d", RegionAlign)}
	case r.Lo >= r.Top || r.Top >= r.Hi:
		return &RegionError{r, "need Lo < Top < Hi"}
	case r.Top-r.Lo < MinRegion:
		return &RegionError{r, fmt.Sprintf("Top-Lo is %d bytes, the least is %d", r.Top-r.Lo, MinRegion)}
	case (r.Hi-r.Top+RegionHeader)*4 < r.Hi-r.Lo:
		return &RegionError{r, fmt.Sprintf("dead space Hi-Top is %d bytes, need at least %d, a quarter of Hi-Lo less the header",
			r.Hi-r.Top, (r.Hi-r.Lo)/4-RegionHeader)}
	case (r.Hi-r.Lo)&(r.Hi-r.Lo-1) == 0:
		return &RegionError{r, fmt.Sprintf("Hi-Lo is %d, a power of two: add %d to Hi", r.Hi-r.Lo, RegionAlign)}
	}
	return nil
}

// fits is Check of a region that does not grow, without a reason.
func fits(lo, top, hi uintptr) bool {
	return (lo|top|hi)%RegionAlign == 0 && lo < top && top < hi && top-lo >= MinRegion &&
		(hi-top+RegionHeader)*4 >= hi-lo && (hi-lo)&(hi-lo-1) != 0 && uint64(hi-lo) <= MaxRegion
}

// checkGrowing is Check for a region that grows.
//
//   - First and Hi - Limit are powers of two, MinWindow <= First <= Hi - Limit:
//     the runtime grows only such stacks, and the trap catches it at that.
//   - A quarter of the window stays dead space even when the window has slid to Lo.
func (r Region) checkGrowing() error {
	widest := r.Hi - r.Limit
	switch {
	case r.Lo%RegionAlign != 0 || r.Top%RegionAlign != 0 || r.Hi%RegionAlign != 0 || r.Limit%RegionAlign != 0:
		return &RegionError{r, fmt.Sprintf("Lo, Limit, Top and Hi must be multiples of %d", RegionAlign)}
	case r.Lo >= r.Limit || r.Limit >= r.Top || r.Top >= r.Hi:
		return &RegionError{r, "need Lo < Limit < Top < Hi"}
	case r.Limit-r.Lo < MinReserve:
		return &RegionError{r, fmt.Sprintf("Limit-Lo is %d bytes, the least is %d", r.Limit-r.Lo, MinReserve)}
	case r.Top-r.Limit < MinRegion:
		return &RegionError{r, fmt.Sprintf("Top-Limit is %d bytes, the least is %d", r.Top-r.Limit, MinRegion)}
	case r.First < MinWindow || r.First&(r.First-1) != 0 || r.First > widest:
		return &RegionError{r, fmt.Sprintf("First is %d, must be a power of two from %d to Hi-Limit, %d", r.First, MinWindow, widest)}
	case widest&(widest-1) != 0:
		return &RegionError{r, fmt.Sprintf("Hi-Limit is %d, must be a power of two", widest)}
	case r.Top-r.Lo-RegionHeader > widest/4*3:
		return &RegionError{r, fmt.Sprintf("Top-Lo is %d bytes, at most three quarters of Hi-Limit, %d", r.Top-r.Lo, widest)}
	}
	return nil
}
