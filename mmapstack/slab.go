package mmapstack

import (
	"errors"
	"sync/atomic"
	"syscall"
)

// A slab is one mapping and the stacks in it. The owner of its pool's lock, or
// of its only stack, owns it.
type slab struct {
	pool  *Pool // nil for New's, and when it is unmapped
	mem   []byte
	lay   layout
	guard guardKind
	first int // colour of its first stack
	count int // stacks that there is room for; those from cut on are not made yet
	cut   int
	ready int // the guards of this many stacks are up, and those of the rest are not
	cold  int // used by Trim
	maps  int64
	ward  ward // which has the stacks
}

var totals struct{ bytes, slabs, guardMaps, fallbacks atomic.Int64 }

// A Total is what this package has mapped in this process.
type Total struct {
	Slabs     int   // mappings made
	Bytes     int64 // address space of them
	GuardMaps int   // further mappings that mprotect guards cost
	Fallbacks int   // guards made by mprotect because the kernel refused MADV_GUARD_INSTALL for that range
}

// Totals returns what is mapped now.
func Totals() Total {
	return Total{int(totals.slabs.Load()), totals.bytes.Load(), int(totals.guardMaps.Load()), int(totals.fallbacks.Load())}
}

// newSlab maps room for n stacks, or for as many as the system allows.
func newSlab(lay layout, n int, guard guardKind, colour int) (*slab, error) {
	for {
		mem, err := mapMemory(lay.bytes(n), guard == guardMadvise)
		if err == nil {
			totals.slabs.Add(1)
			totals.bytes.Add(int64(len(mem)))
			sl := &slab{mem: mem, lay: lay, guard: guard, first: colour, count: n}
			sl.ward.lo, sl.ward.size = addrOf(mem), uintptr(len(mem))
			sl.ward.gap, sl.ward.stride = uintptr(lay.gap), uintptr(lay.stride())
			sl.ward.stacks = newStacks(n)
			sl.ward.add()
			return sl, nil
		}
		if errors.Is(err, ErrUnsupported) {
			return nil, err
		}
		if n == 1 {
			return nil, &MapError{Op: "mmap", Stacks: 1, Size: lay.size, Bytes: lay.bytes(1), Errno: errnoOf(err),
				Remedy: mmapRemedy(errnoOf(err))}
		}
		n /= 2
	}
}

// stack returns the i-th stack, which there is room for.
func (sl *slab) stack(i int) *Stack { return sl.ward.stack(uintptr(i)) }

// offset is where stack i begins in the slab.
func (sl *slab) offset(i int) int { return sl.lay.gap + i*sl.lay.stride() }

// cutStack makes the next stack of the slab, which has room for it: it puts up
// its guard, and with it those of some of the next stacks, ahead in all. On an
// error nothing has changed.
func (sl *slab) cutStack(ahead int) (*Stack, error) {
	i := sl.cut
	off := sl.offset(i)
	if i == sl.ready && !sl.prepare(ahead) {
		if err := sl.putGuard(i, off); err != nil {
			return nil, err
		}
		sl.ready++
	}
	s := sl.stack(i)
	r := sl.lay.region(addrOf(sl.mem)+uintptr(off), sl.first+i)
	s.slab = sl
	s.setRegion(r.Lo, r.Top, r.Hi)
	sl.cut++
	return s, nil
}

// prepare puts up the guards of the next n stacks by one system call, and makes
// the pages resident by another that these will begin in. It reports whether the
// guards are there.
func (sl *slab) prepare(n int) bool {
	n = min(n, sl.count-sl.ready, maxAhead)
	if n < 2 || sl.guard != guardMadvise || sl.ready == 0 {
		return false
	}
	var gaps, tops [maxAhead][]byte
	for i := range n {
		end := sl.offset(sl.ready+i) + sl.lay.size
		gaps[i] = sl.mem[end:][:sl.lay.gap]
		tops[i] = sl.mem[end-pageCeil(1) : end]
	}
	if !installGuards(gaps[:n]) {
		return false
	}
	sl.ready += n
	_ = populate(tops[:n]) // otherwise the first write does it
	return true
}

// putGuard makes the gap above the stack at offset off inaccessible, and for
// the first stack of the slab the gap below it: the others find that closed.
func (sl *slab) putGuard(i, off int) error {
	gaps := [][]byte{sl.mem[off+sl.lay.size:][:sl.lay.gap], sl.mem[off-sl.lay.gap : off]}
	if i > 0 {
		gaps = gaps[:1]
	}
	if sl.guard == guardMadvise {
		if each(gaps, installGuard) == nil {
			return nil
		}
		// Locked memory (mlockall) takes no such guard on some kernels.
		totals.fallbacks.Add(1)
	}
	if !chargeMaps(2) {
		return sl.protectError(0)
	}
	var err error
	if sl.guard == guardMadvise {
		err = each(gaps, protectNone)
	} else {
		err = protectRW(sl.mem[off : off+sl.lay.size]) // the slab was mapped without access
	}
	if err != nil {
		chargeMaps(-2)
		return sl.protectError(errnoOf(err))
	}
	sl.maps += 2
	return nil
}

func each(gaps [][]byte, do func([]byte) error) error {
	for _, gap := range gaps {
		if err := do(gap); err != nil {
			return err
		}
	}
	return nil
}

func (sl *slab) protectError(errno syscall.Errno) error {
	return &MapError{Op: "mprotect", Stacks: 1, Size: sl.lay.size, Bytes: sl.lay.gap, Errno: errno,
		Remedy: mapLimitRemedy(sl.guard == guardMadvise)}
}

// chargeMaps takes n mappings out of the share that guards may use.
func chargeMaps(n int64) bool {
	if totals.guardMaps.Add(n) > int64(mapLimit()/2) && n > 0 {
		totals.guardMaps.Add(-n)
		return false
	}
	return true
}

// pages is the memory of s, less the pages with the topmost keep bytes below Top.
func (sl *slab) pages(s *Stack, keep int) []byte {
	lo := int(s.lo() - addrOf(sl.mem))
	hi := lo + sl.lay.size
	if keep > 0 {
		hi = max(lo, lo+int(alignDown(uintptr(s.room)-uintptr(keep), uintptr(pageCeil(1)))))
	}
	return sl.mem[lo:hi]
}

// topPage is the page that frames on s begin in.
func (sl *slab) topPage(s *Stack) []byte {
	hi := int(s.lo()-addrOf(sl.mem)) + sl.lay.size
	return sl.mem[hi-pageCeil(1) : hi]
}

// unmap gives the slab back. Nobody uses a stack of it (M2).
func (sl *slab) unmap() error {
	n := len(sl.mem)
	sl.ward.remove() // first: the addresses may be somebody else's next
	if err := unmapMemory(sl.mem); err != nil {
		sl.ward.prev = nil
		sl.ward.add()
		return &MapError{Op: "munmap", Stacks: sl.count, Size: sl.lay.size, Bytes: n, Errno: errnoOf(err)}
	}
	totals.slabs.Add(-1)
	totals.bytes.Add(-int64(n))
	totals.guardMaps.Add(-sl.maps)
	sl.mem, sl.maps = nil, 0
	return nil
}

func errnoOf(err error) syscall.Errno {
	var errno syscall.Errno
	errors.As(err, &errno)
	return errno
}
