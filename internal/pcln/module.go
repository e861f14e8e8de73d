package pcln

import (
	"sort"
)

// A layout says at which words of the runtime's moduledata the fields are that
// moved from one release to the next. TestLayoutsAreTheRuntimes holds the
// layouts, and the constants below, against the runtime's source.
type layout struct {
	release   string
	gofunc    int
	textsects int // a slice
}

var layouts = []layout{
	{"go1.25", 40, 41},
	{"go1.26", 40, 42}, // epclntab came in before textsectmap
	{"go1.27", 43, 45}, // typedesclen, itaboffset and itabsize came in before gofunc
}

// Words of the moduledata, the same in every release. The tables are slices.
const (
	mdHeader   = 0
	mdNames    = 1
	mdCUs      = 4
	mdFiles    = 7
	mdValues   = 10
	mdPclntab  = 13
	mdFtab     = 16
	mdText     = 22
	mdWords    = 48 // as far as any layout goes
	magic      = 0xfffffff1
	headerSize = 72
)

// Fields of the pcHeader, in bytes.
const (
	hdrQuantum = 6
	hdrPtrSize = 7
	hdrFuncs   = 8
	hdrNames   = 32
	hdrCUs     = 40
	hdrFiles   = 48
	hdrValues  = 56
	hdrFtab    = 64
)

// A module is a moduledata: where the tables are.
type module struct {
	names, cus, files, values, functab []byte

	header   uint64
	nfunc    uint64
	text     uint64
	gofunc   uint64
	sections []section
}

// A section is a part of the text. There is more than one only where the
// external linker has to reach across more than a branch can.
type section struct{ off, end, addr uint64 }

// findModule looks for the moduledata: a word that points to the header of a
// function table, followed by the table's parts, each where the header says that
// it is. Nothing else in a program looks so, thus no symbol is needed.
func (im *Image) findModule() (*module, error) {
	var found *module
	var wrong error
	const maxWrong = 16 // each may take time
	tries := 0
	for i := range im.segs {
		s := &im.segs[i]
		first := -s.addr & 7
		for off := first; off+8*mdWords <= uint64(len(s.data)); off += 8 {
			h := im.Bytes(le.Uint64(s.data[off:]), headerSize)
			if h == nil || le.Uint32(h) != magic {
				continue
			}
			m, err := im.module(h, s.data[off:off+8*mdWords])
			switch {
			case err != nil:
				if wrong = err; tries == maxWrong {
					return nil, limitf(maxWrong, "more and more moduledata, the last: %v", err)
				}
				tries++
			case m != nil && found != nil:
				return nil, formatf("more than one function table")
			case m != nil:
				found = m
			}
		}
	}
	if found == nil && wrong != nil {
		return nil, wrong
	}
	if found == nil {
		return nil, formatf("no function table of Go 1.25, 1.26 or 1.27")
	}
	return found, nil
}

// module returns the moduledata at md; its first word points to header. It
// returns nil if there is none: something else points to the header too.
func (im *Image) module(header, md []byte) (*module, error) {
	word := func(i int) uint64 { return le.Uint64(md[8*i:]) }
	at := func(off int) uint64 { return word(mdHeader) + le.Uint64(header[off:]) }
	m := &module{header: word(mdHeader), nfunc: le.Uint64(header[hdrFuncs:]), text: word(mdText)}
	if header[hdrQuantum] != byte(im.Arch.quantum()) || header[hdrPtrSize] != 8 ||
		word(mdFtab) != at(hdrFtab) || word(mdPclntab) != at(hdrFtab) || word(mdFtab+1) != m.nfunc+1 {
		return nil, nil
	}
	for _, t := range []struct {
		table     *[]byte
		word, off int
		size      uint64
	}{
		{&m.names, mdNames, hdrNames, 1},
		{&m.cus, mdCUs, hdrCUs, 4},
		{&m.files, mdFiles, hdrFiles, 1},
		{&m.values, mdValues, hdrValues, 1},
		{&m.functab, mdPclntab, hdrFtab, 1},
	} {
		n := word(t.word + 1)
		if word(t.word) != at(t.off) || n > 1<<40 {
			return nil, nil
		}
		if *t.table = im.Bytes(word(t.word), n*t.size); *t.table == nil {
			return nil, nil
		}
	}
	for _, l := range layouts {
		if m.sections = im.sections(m.text, word(l.textsects), word(l.textsects+1), word(l.textsects+2)); m.sections != nil {
			m.gofunc = word(l.gofunc)
			return m, nil
		}
	}
	return nil, formatf("a moduledata of an unknown layout")
}

// sections returns the text sections that the slice describes, or nil if it is
// no such slice.
func (im *Image) sections(text, addr, n, capacity uint64) []section {
	const size = 24
	if n == 0 || n != capacity || n > 1<<16 {
		return nil
	}
	b := im.Bytes(addr, n*size)
	if b == nil {
		return nil
	}
	var all []section
	var end uint64
	for ; len(b) > 0; b = b[size:] {
		s := section{le.Uint64(b), le.Uint64(b[8:]), le.Uint64(b[16:])}
		if s.off < end || s.end < s.off || im.Bytes(s.addr, s.end-s.off) == nil || !im.Executable(s.addr) {
			return nil
		}
		end = s.end
		all = append(all, s)
	}
	if all[0].off != 0 || all[0].addr != text {
		return nil
	}
	return all
}

// addr returns the address of the byte of text with offset off.
func (m *module) addr(off uint64) (uint64, bool) {
	i := sort.Search(len(m.sections), func(i int) bool { return m.sections[i].end > off })
	if i == len(m.sections) || off < m.sections[i].off {
		return 0, false
	}
	return m.sections[i].addr + off - m.sections[i].off, true
}
