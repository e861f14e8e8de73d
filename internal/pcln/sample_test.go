package pcln

import (
	"debug/elf"
	"encoding/binary"
)

// A sample describes a tiny ELF file with a function table of three functions:
// main.main, main.outer, into which main.middle and main.inner are inlined, and
// an assembly function without a frame.
type sample struct {
	arch   Arch
	layout layout
	pie    bool // every address in the moduledata comes from a relocation
	symbol bool // each second of these relocations is by a symbol
	split  bool // the text is in two sections, 16 bytes apart; main.outer begins the second
}

const (
	sampleText = 0x401000
	sampleRO   = 0x402000
	sampleData = 0x403000
	sampleSize = 3 * 0x1000
)

// build returns the file. Each segment is a page.
func (s sample) build() []byte {
	q := uint32(s.arch.quantum())
	text := make([]byte, 0xa0)

	names, name := stringsOf("", "main.main", "main.outer", "main.middle", "main.inner", "main.asm")
	files, file := stringsOf("", "main.go", "inner.go")
	cus := words(uint32(file["main.go"]), uint32(file["inner.go"]), absent)
	values := []byte{0}
	table := func(pairs ...int32) uint32 { // value, bytes, value, bytes…
		off := len(values)
		prev := int32(-1)
		for i := 0; i < len(pairs); i += 2 {
			d := pairs[i] - prev
			values = binary.AppendUvarint(values, uint64(uint32(d<<1)^uint32(d>>31)))
			values = binary.AppendUvarint(values, uint64(uint32(pairs[i+1])/q))
			prev = pairs[i]
		}
		values = append(values, 0)
		return uint32(off)
	}
	gofunc := words(0xffffffff, 0, 0, 0)
	tree := uint32(len(gofunc))
	for _, e := range [][3]uint32{
		{uint32(name["main.middle"]), 0x14, 30}, // called from main.outer
		{uint32(name["main.inner"]), 0x24, 5},   // called from main.middle
	} {
		gofunc = append(gofunc, words(0, e[0], e[1], e[2])...)
	}

	var records []byte
	var starts []uint32
	const nfunc = 3
	base := uint32(nfunc*functabEntry + 4)
	record := func(off uint32, nm string, args int32, deferreturn, sp, fl, ln uint32, line int32, id FuncID, flags FuncFlags, tables, data []uint32) {
		starts = append(starts, base+uint32(len(records)))
		records = append(records, words(off, uint32(name[nm]), uint32(args), deferreturn, sp, fl, ln, uint32(len(tables)), 0, uint32(line))...)
		records = append(records, byte(id), byte(flags), 0, byte(len(data)))
		records = append(records, words(tables...)...)
		records = append(records, words(data...)...)
	}
	record(0, "main.main", 0, 0x18, table(0, 4, 24, 0x1c), table(0, 0x20), table(10, 8, 11, 0x18), 9, RuntimeMain, TopFrame, nil, nil)
	record(0x30, "main.outer", 16, 0, table(0, 8, 40, 0x30, 0, 8), table(0, 0x28, 1, 8, 0, 0x10), table(20, 0x14, 21, 0x14, 6, 8, 22, 0x10), 19, Normal, 0,
		[]uint32{0, 0, table(-1, 0x18, 0, 0x10, 1, 8, -1, 0x10)}, []uint32{absent, absent, absent, tree})
	record(0x70, "main.asm", UnknownArgs, 0, table(0, 0x10), table(0, 0x10), table(40, 0x10), 40, Normal, Assembly|SPWrite, nil, nil)
	functab := words(0, starts[0], 0x30, starts[1], 0x70, starts[2], 0x80)
	functab = append(functab, records...)

	ro := make([]byte, 0, 0x1000)
	put := func(b []byte) uint64 {
		for len(ro)%8 != 0 {
			ro = append(ro, 0)
		}
		ro = append(ro, b...)
		return sampleRO + uint64(len(ro)-len(b))
	}
	header := put(make([]byte, headerSize))
	parts := map[int][2]uint64{
		hdrNames:  {put(names), uint64(len(names))},
		hdrCUs:    {put(cus), uint64(len(cus) / 4)},
		hdrFiles:  {put(files), uint64(len(files))},
		hdrValues: {put(values), uint64(len(values))},
		hdrFtab:   {put(functab), uint64(len(functab))},
	}
	goFunc := put(gofunc)
	sections, nsections := put(quads(0, 0x90, sampleText)), uint64(1)
	if s.split {
		sections, nsections = put(quads(0, 0x30, sampleText, 0x30, 0x90, sampleText+0x40)), 2
	}
	le.PutUint32(ro, magic)
	ro[hdrQuantum], ro[hdrPtrSize] = byte(q), 8
	le.PutUint64(ro[hdrFuncs:], nfunc)
	for off, p := range parts {
		le.PutUint64(ro[off:], p[0]-header)
	}

	md := make([]uint64, mdWords)
	slice := func(w int, p [2]uint64) { md[w], md[w+1], md[w+2] = p[0], p[1], p[1] }
	md[mdHeader] = header
	slice(mdNames, parts[hdrNames])
	slice(mdCUs, parts[hdrCUs])
	slice(mdFiles, parts[hdrFiles])
	slice(mdValues, parts[hdrValues])
	slice(mdPclntab, parts[hdrFtab])
	slice(mdFtab, [2]uint64{parts[hdrFtab][0], nfunc + 1})
	md[mdText], md[mdText+1] = sampleText, sampleText+0x90
	md[s.layout.gofunc] = goFunc
	slice(s.layout.textsects, [2]uint64{sections, nsections})

	var rela []uint64
	if s.pie {
		relative, symbol := uint64(elf.R_X86_64_RELATIVE), uint64(elf.R_X86_64_64)
		if s.arch == ARM64 {
			relative, symbol = uint64(elf.R_AARCH64_RELATIVE), uint64(elf.R_AARCH64_ABS64)
		}
		for i, w := range md {
			if w < sampleText {
				continue
			}
			if md[i] = 0; s.symbol && i%2 == 0 {
				rela = append(rela, sampleData+uint64(8*i), 1<<32|symbol, w-sampleText)
			} else {
				rela = append(rela, sampleData+uint64(8*i), relative, w)
			}
		}
		put(quads(rela...))
	}
	relaAt := sampleRO + uint64(len(ro)-8*len(rela))
	symbols := put(quads(0, 0, 0, 1<<48, sampleText, 0)) // the second is defined, in section 1
	data := quads(md...)
	dynamic := sampleData + uint64(len(data))
	data = append(data, quads(uint64(elf.DT_RELA), relaAt, uint64(elf.DT_RELASZ), uint64(8*len(rela)),
		uint64(elf.DT_SYMTAB), symbols, uint64(elf.DT_NULL), 0)...)

	machine := elf.EM_X86_64
	if s.arch == ARM64 {
		machine = elf.EM_AARCH64
	}
	out := make([]byte, sampleSize+len(data))
	copy(out, elf.ELFMAG)
	out[4], out[5], out[6] = byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), 1
	le.PutUint16(out[16:], uint16(elf.ET_EXEC))
	le.PutUint16(out[18:], uint16(machine))
	le.PutUint64(out[32:], elfHeader)
	le.PutUint16(out[54:], progHeader)
	le.PutUint16(out[56:], 4)
	for i, p := range []struct {
		typ        elf.ProgType
		flags      elf.ProgFlag
		off, n, at uint64
	}{
		{elf.PT_LOAD, elf.PF_R | elf.PF_X, 0x1000, uint64(len(text)), sampleText},
		{elf.PT_LOAD, elf.PF_R, 0x2000, uint64(len(ro)), sampleRO},
		{elf.PT_LOAD, elf.PF_R | elf.PF_W, 0x3000, uint64(len(data)), sampleData},
		{elf.PT_DYNAMIC, elf.PF_R | elf.PF_W, 0x3000, 64, dynamic},
	} {
		h := out[elfHeader+progHeader*i:]
		le.PutUint32(h, uint32(p.typ))
		le.PutUint32(h[4:], uint32(p.flags))
		copy(h[8:], quads(p.off, p.at, p.at, p.n, p.n, 0x1000))
	}
	copy(out[0x1000:], text)
	copy(out[0x2000:], ro)
	copy(out[0x3000:], data)
	return out
}

func stringsOf(all ...string) ([]byte, map[string]int) {
	var b []byte
	at := map[string]int{}
	for _, s := range all {
		at[s] = len(b)
		b = append(append(b, s...), 0)
	}
	return b, at
}

func words(v ...uint32) []byte {
	var b []byte
	for _, w := range v {
		b = le.AppendUint32(b, w)
	}
	return b
}

func quads(v ...uint64) []byte {
	var b []byte
	for _, w := range v {
		b = le.AppendUint64(b, w)
	}
	return b
}

// samples are one of each kind.
func samples() []sample {
	var all []sample
	for _, arch := range []Arch{AMD64, ARM64} {
		for _, l := range layouts {
			all = append(all, sample{arch: arch, layout: l}, sample{arch: arch, layout: l, pie: true},
				sample{arch: arch, layout: l, pie: true, symbol: true}, sample{arch: arch, layout: l, split: true})
		}
	}
	return all
}
