//go:build linux

package ctx

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime/metrics"
	"slices"
)

// A heap is what debug.WriteHeapDump tells of references: from where (an object,
// or a root) to which address. The format is runtime/heapdump.go's, the same in Go
// 1.7 to 1.27.
type heap struct {
	objects []object // by address, when parsed
	refs    []uint64 // of all objects, one after another
	roots   []uint64
	coros   []coroutine // the goroutines that serve identities
	lo, hi  uint64      // where objects may be
	word    int         // bytes of a pointer
	order   binary.ByteOrder
}

type object struct {
	addr        uint64
	size        uint64
	first, last int // its part of refs
}

// A coroutine is a goroutine that serves an identity.
type coroutine struct {
	g, identity uint64
	refs        []uint64 // from its stack
}

const heapHeader = "go1.7 heap dump\n"

// Tags of records, and kinds of fields.
const (
	tagObject    = 1
	tagOtherRoot = 2
	tagType      = 3
	tagGoroutine = 4
	tagFrame     = 5
	tagParams    = 6
	tagFinalizer = 7
	tagItab      = 8
	tagThread    = 9
	tagMemStats  = 10 // nothing of interest comes behind it
	tagQueued    = 11
	tagData      = 12
	tagBSS       = 13
	tagDefer     = 14
	tagPanic     = 15
	fieldEnd     = 0
	fieldPointer = 1
)

// parser reads the dump. The first error sticks, and reads answer zero.
type parser struct {
	r    io.Reader
	mem  []byte
	buf  []byte // what was read and is not parsed yet: a part of mem
	err  error
	data []byte // of bytes
	heap

	gr    goroutine              // that is being read
	known func(addr uint64) bool // of an identity
}

// parseHeap reads a dump as far as it is of use. known tells the addresses of
// identities.
func parseHeap(r io.Reader, known func(addr uint64) bool) (*heap, error) {
	p := &parser{r: r, mem: make([]byte, 256<<10), known: known}
	n := liveObjects()
	p.objects, p.refs = make([]object, 0, n+n/8), make([]uint64, 0, n)
	p.order, p.word = binary.LittleEndian, 8 // until the dump tells
	if head := p.bytes(uint64(len(heapHeader))); string(head) != heapHeader {
		return nil, fmt.Errorf("heap dump begins with %q: %w", head, errors.Join(p.err, errors.ErrUnsupported))
	}
	for p.record() {
	}
	if p.err != nil {
		return nil, fmt.Errorf("heap dump: %w", p.err)
	}
	p.endGoroutine()
	p.objects = sorted(p.objects)
	return &p.heap, nil
}

// sorted returns the objects by address. The runtime dumps them span by span, each in
// order, and a span begins with a page: so only the pages have to be sorted.
func sorted(objects []object) []object {
	const page = 13
	var pages [][]object
	for begin, i := 0, 1; i <= len(objects); i++ {
		if i == len(objects) || objects[i].addr>>page != objects[i-1].addr>>page {
			pages = append(pages, objects[begin:i])
			begin = i
		}
	}
	slices.SortFunc(pages, func(a, b []object) int { return cmp.Compare(a[0].addr, b[0].addr) })
	all := make([]object, 0, len(objects))
	for _, p := range pages {
		all = append(all, p...)
	}
	byAddress := func(a, b object) int { return cmp.Compare(a.addr, b.addr) }
	if !slices.IsSortedFunc(all, byAddress) {
		slices.SortFunc(all, byAddress)
	}
	return all
}

// liveObjects returns about how many objects are on the heap.
func liveObjects() int {
	s := []metrics.Sample{{Name: "/gc/heap/objects:objects"}}
	if metrics.Read(s); s[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return int(s[0].Value.Uint64())
}

func (p *parser) record() (more bool) {
	switch tag := p.int(); tag {
	case tagObject:
		o := object{addr: p.int(), first: len(p.refs)}
		data := p.bytes(p.int())
		o.size = uint64(len(data))
		p.refs = p.fields(p.refs, data)
		o.last = len(p.refs)
		p.objects = append(p.objects, o)
	case tagOtherRoot:
		p.bytes(p.int())
		p.root(p.int())
	case tagType:
		p.ints(2)
		p.bytes(p.int())
		p.int()
	case tagGoroutine:
		p.endGoroutine()
		p.gr.begin(p)
	case tagFrame:
		p.gr.frame(p)
	case tagParams:
		if p.int() != 0 {
			p.order = binary.BigEndian
		}
		if p.word = int(p.int()); p.word != 4 && p.word != 8 {
			p.fail(fmt.Errorf("%w: pointers of %d bytes", errHeap, p.word))
		}
		p.lo, p.hi = p.int(), p.int()
		p.bytes(p.int())
		p.bytes(p.int())
		p.int()
	case tagFinalizer, tagQueued: // the object and the function
		p.root(p.int())
		p.root(p.int())
		p.ints(3)
	case tagItab:
		p.ints(2)
	case tagThread:
		p.ints(3)
	case tagData, tagBSS:
		p.int()
		p.roots = p.fields(p.roots, p.bytes(p.int()))
	case tagDefer: // the record and its function
		p.gr.live = append(p.gr.live, p.int())
		p.ints(3)
		p.gr.live = append(p.gr.live, p.int())
		p.ints(2)
	case tagPanic: // what it was called with
		p.gr.panics = true
		p.ints(3)
		p.gr.live = append(p.gr.live, p.int())
		p.ints(2)
	case tagMemStats:
		return false
	default:
		p.fail(fmt.Errorf("unknown record %d: %w", tag, errors.ErrUnsupported))
	}
	return p.err == nil
}

// endGoroutine makes of what the last goroutine's stack refers to a coroutine's
// or roots.
func (p *parser) endGoroutine() {
	refs := slices.DeleteFunc(p.gr.references(), func(v uint64) bool { return !p.onHeap(v) })
	switch {
	case p.gr.writer:
	case p.gr.identity != 0:
		p.coros = append(p.coros, coroutine{p.gr.g, p.gr.identity, refs})
	default:
		p.roots = append(p.roots, refs...)
	}
}

// fields appends to refs what the pointers in data, listed next, point to.
func (p *parser) fields(refs []uint64, data []byte) []uint64 {
	for p.err == nil {
		kind := p.int()
		if kind == fieldEnd {
			break
		}
		at := p.int()
		if kind != fieldPointer || at > uint64(len(data)) || at+uint64(p.word) > uint64(len(data)) {
			p.fail(fmt.Errorf("%w: field of kind %d at %d of %d", errHeap, kind, at, len(data)))
			break
		}
		if v := p.pointer(data[at:]); p.onHeap(v) {
			refs = append(refs, v)
		}
	}
	return refs
}

func (p *parser) pointer(data []byte) uint64 {
	if p.word == 4 {
		return uint64(p.order.Uint32(data))
	}
	return p.order.Uint64(data)
}

func (p *parser) onHeap(v uint64) bool { return p.lo <= v && v < p.hi }

func (p *parser) root(v uint64) {
	if p.onHeap(v) {
		p.roots = append(p.roots, v)
	}
}

func (p *parser) fail(err error) {
	if p.err == nil {
		p.err = err
	}
}

func (p *parser) int() uint64 {
	if p.err != nil {
		return 0
	}
	if len(p.buf) != 0 && p.buf[0] < 0x80 { // the most frequent
		v := p.buf[0]
		p.buf = p.buf[1:]
		return uint64(v)
	}
	var err error
	for len(p.buf) < binary.MaxVarintLen64 && err == nil {
		err = p.fill()
	}
	v, n := binary.Uvarint(p.buf)
	switch {
	case n > 0:
		p.buf = p.buf[n:]
	case n < 0:
		p.fail(fmt.Errorf("%w: number of more than 64 bits", errHeap))
	case len(p.buf) != 0 && err == io.EOF:
		p.fail(io.ErrUnexpectedEOF)
	default:
		p.fail(err)
	}
	return v
}

// fill reads more. What was read before, a part of a number at most, stays in front.
func (p *parser) fill() error {
	if len(p.buf) == 0 || cap(p.buf) < 2*binary.MaxVarintLen64 {
		p.buf = p.mem[:copy(p.mem, p.buf)]
	}
	n, err := p.r.Read(p.buf[len(p.buf):cap(p.buf)])
	p.buf = p.buf[:len(p.buf)+n]
	if n != 0 {
		return nil
	}
	return err
}

func (p *parser) ints(n int) {
	for range n {
		p.int()
	}
}

// bytes returns the next n bytes, until the next call of it.
func (p *parser) bytes(n uint64) []byte {
	if p.err != nil {
		return nil
	}
	p.data = p.data[:0]
	for {
		part := p.buf[:min(n, uint64(len(p.buf)))]
		p.data = append(p.data, part...)
		p.buf = p.buf[len(part):]
		if n -= uint64(len(part)); n == 0 {
			return p.data
		}
		if err := p.fill(); err != nil {
			p.fail(err)
			return nil
		}
	}
}
