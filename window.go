package stackhop

// An extent is what the runtime takes for a body's stack, g.stack.
type extent struct{ lo, hi uintptr }

// Steps by which a window slides into its region's reserve, in bytes.
const (
	retryStep = 8 << 10  // to let a call of the runtime go on that did not fit
	panicStep = 16 << 10 // for the panic of an overflow and the calls deferred
)

// usable is Check, and whether a stack that grows could do so now.
func (r Region) usable() error {
	if err := r.Check(); err != nil {
		return err
	}
	if unmapped != nil {
		return unmapped
	}
	if r.First != 0 && !growthReady() {
		return ErrGrowthOff
	}
	return nil
}

// first is the window that a body on r starts with. In a program with cgo it is
// the widest: asmcgocall (asm_*.s) remembers the distance of SP from the upper
// end across a call of C, so that growing must not move that if C has called back.
func (r *Region) first() extent {
	switch {
	case r.First == 0:
		return extent{r.Lo, r.Hi}
	case isCgo():
		return extent{r.Limit, r.Hi}
	}
	return r.sized(r.First)
}

func (p *packedRegion) firstWindow() extent {
	if !p.grows() {
		return extent{p.lo, p.deadEnd()}
	}
	r := p.unpacked()
	return r.first()
}

// sized is the window of size bytes: a quarter of it is dead space, or else the
// collector would move the stack (runtime.shrinkstack). The widest is [Limit, Hi).
func (r Region) sized(size uintptr) extent {
	lo := r.Top - size/4*3
	if size >= r.Hi-r.Limit || lo <= r.Limit || lo > r.Top {
		return extent{r.Limit, r.Hi}
	}
	return extent{lo, lo + size}
}

// slid is w moved down by step into the reserve. Not ok: there is no room.
func (r Region) slid(w extent, step uintptr) (_ extent, ok bool) {
	return extent{w.lo - step, w.hi - step}, w.lo-r.Lo >= step
}
