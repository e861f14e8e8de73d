package pcln

import (
	"debug/elf"
	"encoding/binary"
	"slices"
	"sort"
)

var le = binary.LittleEndian

// An Arch is a processor architecture.
type Arch uint8

const (
	AMD64 Arch = iota + 1
	ARM64
)

// String returns the architecture's GOARCH.
func (a Arch) String() string {
	switch a {
	case AMD64:
		return "amd64"
	case ARM64:
		return "arm64"
	}
	return "unknown"
}

// quantum returns the size of the smallest instruction.
func (a Arch) quantum() uint64 {
	if a == ARM64 {
		return 4
	}
	return 1
}

// An Image is the memory of a program as the loader prepares it: the loaded
// segments of an ELF file at the addresses that the file gives them, with
// relative relocations applied.
type Image struct {
	Arch Arch
	segs []segment // by address, none overlaps another

	relro, relroEnd uint64 // what the loader makes read-only after relocation
}

type segment struct {
	addr        uint64
	data        []byte // what the file has of it; memory beyond that is zero
	write, exec bool
}

func (s *segment) end() uint64 { return s.addr + uint64(len(s.data)) }

const (
	elfHeader   = 64
	progHeader  = 56
	dynEntry    = 16
	relaEntry   = 24
	symSize     = 24
	symSection  = 6
	symValue    = 8
	maxSegments = 1 << 10
)

// parseImage reads the program headers of an ELF file. The image keeps file, and
// relocations are written to it. Package debug/elf promises nothing for
// malformed files, so only its constants are used.
func parseImage(file []byte) (*Image, error) {
	if len(file) < elfHeader || string(file[:4]) != elf.ELFMAG {
		return nil, formatf("no ELF header")
	}
	if c, d := elf.Class(file[4]), elf.Data(file[5]); c != elf.ELFCLASS64 || d != elf.ELFDATA2LSB {
		return nil, formatf("an ELF file of %v and %v", c, d)
	}
	im := &Image{}
	switch m := elf.Machine(le.Uint16(file[18:])); m {
	case elf.EM_X86_64:
		im.Arch = AMD64
	case elf.EM_AARCH64:
		im.Arch = ARM64
	default:
		return nil, formatf("an ELF file for %v", m)
	}
	off, size, n := le.Uint64(file[32:]), uint64(le.Uint16(file[54:])), uint64(le.Uint16(file[56:]))
	if n > maxSegments {
		return nil, limitf(maxSegments, "%d program headers", n)
	}
	headers, ok := part(file, off, size*n)
	if !ok || size < progHeader {
		return nil, formatf("%d program headers of %d bytes at %#x of %d bytes of file", n, size, off, len(file))
	}
	var dynamic uint64
	for ; len(headers) > 0; headers = headers[size:] {
		addr := le.Uint64(headers[16:])
		switch elf.ProgType(le.Uint32(headers)) {
		case elf.PT_LOAD:
			at, n := le.Uint64(headers[8:]), le.Uint64(headers[32:])
			data, ok := part(file, at, n)
			if !ok || addr+n < addr {
				return nil, formatf("a segment of %d bytes at %#x of %d bytes of file", n, at, len(file))
			}
			if i := len(im.segs) - 1; i >= 0 && addr < im.segs[i].end() {
				return nil, formatf("a segment at %#x after one that ends at %#x", addr, im.segs[i].end())
			}
			flags := elf.ProgFlag(le.Uint32(headers[4:]))
			im.segs = append(im.segs, segment{addr, data, flags&elf.PF_W != 0, flags&elf.PF_X != 0})
		case elf.PT_GNU_RELRO:
			if n := le.Uint64(headers[40:]); addr+n > addr {
				im.relro, im.relroEnd = addr, addr+n
			}
		case elf.PT_DYNAMIC:
			dynamic = addr
		}
	}
	im.relocate(dynamic)
	return im, nil
}

// part returns data[off:off+n] if there is such a part.
func part(data []byte, off, n uint64) ([]byte, bool) {
	if off > uint64(len(data)) || n > uint64(len(data))-off {
		return nil, false
	}
	return data[off : off+n : off+n], true
}

// relocate does what the loader does to words that hold an address of the image
// itself, by a relative relocation or by a symbol that the image defines. An image
// that cannot be relocated has no function table, or a wrong one, which Parse
// notices.
func (im *Image) relocate(dynamic uint64) {
	s := im.segment(dynamic)
	if s == nil {
		return
	}
	var rela, size, symbols uint64
	for d := s.data[dynamic-s.addr:]; len(d) >= dynEntry; d = d[dynEntry:] {
		v := le.Uint64(d[8:])
		switch elf.DynTag(le.Uint64(d)) {
		case elf.DT_RELA:
			rela = v
		case elf.DT_RELASZ:
			size = v
		case elf.DT_SYMTAB:
			symbols = v
		}
		if le.Uint64(d) == uint64(elf.DT_NULL) {
			break
		}
	}
	relative := uint32(elf.R_X86_64_RELATIVE)
	bySymbol := []uint32{uint32(elf.R_X86_64_64), uint32(elf.R_X86_64_GLOB_DAT)}
	if im.Arch == ARM64 {
		relative = uint32(elf.R_AARCH64_RELATIVE)
		bySymbol = []uint32{uint32(elf.R_AARCH64_ABS64), uint32(elf.R_AARCH64_GLOB_DAT)}
	}
	for b := im.Bytes(rela, size); len(b) >= relaEntry; b = b[relaEntry:] {
		kind, symbol, value := le.Uint32(b[8:]), le.Uint32(b[12:]), le.Uint64(b[16:])
		if slices.Contains(bySymbol, kind) {
			sym := im.Bytes(symbols+symSize*uint64(symbol), symSize)
			if sym == nil || le.Uint16(sym[symSection:]) == uint16(elf.SHN_UNDEF) {
				continue
			}
			value += le.Uint64(sym[symValue:])
		} else if kind != relative {
			continue
		}
		if w := im.Bytes(le.Uint64(b), 8); w != nil {
			le.PutUint64(w, value)
		}
	}
}

// segment returns the segment that has addr in the file, or nil.
func (im *Image) segment(addr uint64) *segment {
	i := sort.Search(len(im.segs), func(i int) bool { return im.segs[i].end() > addr })
	if i == len(im.segs) || addr < im.segs[i].addr {
		return nil
	}
	return &im.segs[i]
}

// Bytes returns n bytes at addr, or nil if the file does not have all of them.
// The caller must not change them.
func (im *Image) Bytes(addr, n uint64) []byte {
	s := im.segment(addr)
	if s == nil {
		return nil
	}
	b, _ := part(s.data, addr-s.addr, n)
	return b
}

// Uint64 returns the word at addr. It returns false if the file does not have it.
func (im *Image) Uint64(addr uint64) (uint64, bool) {
	b := im.Bytes(addr, 8)
	if b == nil {
		return 0, false
	}
	return le.Uint64(b), true
}

// Writable reports whether the program may change the byte at addr. What only
// the loader changes is not writable. Writable returns true for an address that
// is not in the file.
func (im *Image) Writable(addr uint64) bool {
	s := im.segment(addr)
	return s == nil || s.write && (addr < im.relro || addr >= im.relroEnd)
}

// Executable reports whether addr is in the text of the program.
func (im *Image) Executable(addr uint64) bool {
	s := im.segment(addr)
	return s != nil && s.exec
}
