package pcln

import "sort"

// A Span is a range of instructions with one value.
type Span struct {
	Start, End uint64 // addresses; End is that of the first byte after
	Value      int
}

// at returns the value at pc in spans.
func at(spans []Span, pc uint64) (int, bool) {
	i := sort.Search(len(spans), func(i int) bool { return spans[i].End > pc })
	if i == len(spans) || pc < spans[i].Start {
		return -1, false
	}
	return spans[i].Value, true
}

// walk decodes the span table at offset off of the table of values and calls
// yield for each span, until yield returns an error. Offset 0 is an absent table.
//
// A table is a list of pairs of numbers: what to add to the value, then the size
// of the span. The first value is -1, and an addition of 0 that is not the
// first ends the list. A span begins where the one before ends, and the last
// ends within the function, so a list is never longer than the function.
func (t *Table) walk(f *Func, off uint32, yield func(Span) *FormatError) *FormatError {
	if off == 0 {
		return nil
	}
	if uint64(off) >= uint64(len(t.m.values)) {
		return formatf("a span table at %d of %d", off, len(t.m.values))
	}
	b := t.m.values[off:]
	q := t.Image.Arch.quantum()
	pc, value := f.Entry, int32(-1)
	for first := true; ; first = false {
		u, n := uvarint(b)
		if n == 0 {
			return formatf("the span table at %d has no end", off)
		}
		if u == 0 && !first {
			return nil
		}
		value += int32(-(u & 1) ^ u>>1)
		d, k := uvarint(b[n:])
		if k == 0 {
			return formatf("the span table at %d has no end", off)
		}
		b = b[n+k:]
		if d == 0 && !first || uint64(d)*q > f.End-pc {
			return formatf("a span of %d bytes at offset %#x of a text of %d bytes", uint64(d)*q, pc-f.Entry, f.End-f.Entry)
		}
		start := pc
		pc += uint64(d) * q
		if pc > start {
			if err := yield(Span{start, pc, int(value)}); err != nil {
				return err
			}
		}
	}
}

// spans returns the span table at offset off.
func (t *Table) spans(f *Func, off uint32) []Span {
	var all []Span
	t.walk(f, off, func(s Span) *FormatError { // Parse has checked it
		all = append(all, s)
		return nil
	})
	return all
}

// uvarint decodes a number. It returns the number of bytes read, 0 if b ends
// before the number or the number has more than 32 bits.
func uvarint(b []byte) (v uint32, n int) {
	for i, c := range b[:min(len(b), 5)] {
		if i == 4 && c > 0x0f {
			return 0, 0
		}
		v |= uint32(c&0x7f) << (7 * i)
		if c&0x80 == 0 {
			return v, i + 1
		}
	}
	return 0, 0
}
