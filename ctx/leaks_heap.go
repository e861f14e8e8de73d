//go:build linux

package ctx

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
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
	*bufio.Reader
	err error
	buf bytes.Buffer
	heap

	gr    goroutine              // that is being read
	known func(addr uint64) bool // of an identity
}

// parseHeap reads a dump as far as it is of use. known tells the addresses of
// identities.
func parseHeap(r io.Reader, known func(addr uint64) bool) (*heap, error) {
	p := &parser{Reader: bufio.NewReaderSize(r, 64<<10), known: known}
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
	slices.SortFunc(p.objects, func(a, b object) int { return cmp.Compare(a.addr, b.addr) })
	return &p.heap, nil
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
	v, err := binary.ReadUvarint(p)
	if err != nil {
		p.fail(err)
	}
	return v
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
	p.buf.Reset()
	if _, err := io.CopyN(&p.buf, p, int64(n&(1<<62-1))); err != nil {
		p.fail(err)
		return nil
	}
	return p.buf.Bytes()
}
