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
// [Lo, Top) is readable and writable. [Top, Hi) is address space that nothing
// touches: it need not be mapped. It exists because the garbage collector
// moves a stack that uses less than a quarter of its window [Lo, Hi) to the
// Go heap (runtime.shrinkstack, stack.go, Go 1.25 to 1.27), and a dead space
// of a quarter counts as used. Any guard below Lo is the owner's business.
//
// The zero Region asks for a stack that the Go runtime owns and grows.
type Region struct {
	Lo  uintptr // lowest usable byte
	Top uintptr // first byte past the memory
	Hi  uintptr // first byte past the dead space
}

const (
	// RegionAlign is what Lo, Top and Hi must be multiples of, in bytes.
	RegionAlign = 16

	// RegionHeader is how many bytes at the top of a Region the kernel keeps
	// for itself.
	RegionHeader = 128

	// MinRegion is the least [Lo, Top) that New accepts, in bytes. The Go
	// runtime's own guard takes 928 of them, and one call of fmt or of a
	// system call wrapper most of the rest.
	MinRegion = 4096
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

// Check returns nil, or a *RegionError for the first rule that r breaks.
//
//   - Lo, Top and Hi are multiples of RegionAlign, Lo < Top < Hi.
//   - Top - Lo is at least MinRegion.
//   - What lies above the header's lower end is at least a quarter of Hi - Lo
//     (see Region for why).
//   - Hi - Lo is no power of two. Then an overflow ends in the runtime's own
//     fatal error (runtime.stackalloc) instead of a silent move to the heap.
func (r Region) Check() error {
	switch {
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
