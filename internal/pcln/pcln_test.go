package pcln

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestASmallFileIsReadAsItWasBuilt(t *testing.T) {
	for _, s := range samples() {
		t.Run(fmt.Sprintf("%v,%s,pie=%v,symbol=%v,split=%v", s.arch, s.layout.release, s.pie, s.symbol, s.split), func(t *testing.T) {
			tab, err := Parse(s.build())
			require.NoError(t, err)
			require.Equal(t, s.arch, tab.Image.Arch)
			require.Len(t, tab.Funcs, 3)

			main := tab.Lookup("main.main")[0]
			require.Equal(t, []any{uint64(sampleText), uint64(sampleText + 0x30), 9, RuntimeMain, TopFrame, 0, uint64(sampleText + 0x18)},
				[]any{main.Entry, main.End, main.StartLine, main.ID, main.Flags, main.Args, main.DeferReturn})
			require.Equal(t, []Span{{sampleText, sampleText + 4, 0}, {sampleText + 4, sampleText + 0x20, 24}}, main.Depths())
			_, ok := main.Depth(sampleText + 0x20)
			require.False(t, ok, "padding")
			require.Equal(t, 24, main.MaxDepth())
			require.Len(t, main.Text(), 0x30)
			require.Equal(t, "main.go", main.File())

			at := uint64(sampleText + 0x30)
			if s.split {
				require.Nil(t, tab.Find(at), "between the sections")
				at += 0x10
			}
			outer := tab.Find(at + 0x29)
			require.Equal(t, "main.outer", outer.Name)
			require.Equal(t, at, outer.Entry)
			require.Equal(t, []Frame{
				{"main.outer", 19, Normal, "main.go", 21, outer.Entry + 0x14},
				{"main.middle", 30, Normal, "main.go", 21, outer.Entry + 0x24},
				{"main.inner", 5, Normal, "inner.go", 6, outer.Entry + 0x28},
			}, outer.Frames(outer.Entry+0x28))
			require.Len(t, outer.Frames(outer.Entry+0x18), 2)
			require.Len(t, outer.Frames(outer.Entry), 1)
			require.Nil(t, outer.Frames(outer.End))
			require.Len(t, outer.PCData(InlTreeIndex), 4)
			require.Nil(t, outer.PCData(StackMapIndex))
			require.Nil(t, outer.PCData(3))
			_, ok = outer.FuncData(ArgInfo)
			require.False(t, ok)
			_, ok = outer.FuncData(StackObjects)
			require.False(t, ok)

			asm := tab.Entry(outer.End)
			require.Equal(t, []any{"main.asm", UnknownArgs, Assembly | SPWrite}, []any{asm.Name, asm.Args, asm.Flags})
			require.Nil(t, tab.Entry(asm.Entry+1))
			require.Nil(t, tab.Find(asm.End))
			require.Nil(t, tab.Find(sampleText-1))
			require.Empty(t, tab.Lookup("main.middle"), "inlined everywhere")
		})
	}
}

func TestTheImageSaysWhatTheFileHas(t *testing.T) {
	tab, err := Parse(samples()[0].build())
	require.NoError(t, err)
	im := tab.Image
	v, ok := im.Uint64(sampleRO)
	require.True(t, ok)
	require.EqualValues(t, magic, uint32(v))
	require.False(t, im.Writable(sampleRO))
	require.True(t, im.Writable(sampleData))
	require.True(t, im.Writable(0))
	require.True(t, im.Executable(sampleText))
	require.False(t, im.Executable(sampleRO))
	require.Nil(t, im.Bytes(sampleRO, 1<<40))
	require.Nil(t, im.Bytes(^uint64(0), 8))
	require.Nil(t, im.Bytes(sampleText-1, 2))
}

// Each change makes one part of the file wrong.
func TestAFaultIsAnErrorThatNamesIt(t *testing.T) {
	good := samples()[0].build()
	tab, err := Parse(append([]byte(nil), good...))
	require.NoError(t, err)
	record := func(name string, off int) int {
		f := tab.Lookup(name)[0]
		return 0x2000 + int(addressOf(tab, f.record)-sampleRO) + off
	}
	values := 0x2000 + int(le.Uint64(good[0x2000+hdrValues:]))
	tree, _ := tab.Lookup("main.outer")[0].FuncData(InlTree)
	inlined := 0x2000 + int(tree-sampleRO)
	for _, c := range []struct {
		want string
		at   int
		to   []byte
	}{
		{"no ELF header", 0, []byte{0}},
		{"ELFCLASS32", 4, []byte{1}},
		{"EM_386", 18, []byte{3}},
		{"program headers", 32, quads(1 << 63)},
		{"at most 1024", 56, []byte{0xff, 0xff}},
		{"a segment of", elfHeader + 32, quads(1 << 40)},
		{"after one that ends", elfHeader + progHeader + 16, quads(0)},
		{"no function table", 0x2000, []byte{0}},
		{"no function table", 0x2000 + hdrQuantum, []byte{4}},
		{"no function table", 0x2000 + hdrNames, []byte{0}},
		{"unknown layout", 0x3000 + 8*layouts[0].textsects, quads(0)},
		{"the record of a function", 0x2000 + int(le.Uint64(good[0x2000+hdrFtab:])) + 4, words(0xfffff)},
		{"text with offsets", 0x2000 + int(le.Uint64(good[0x2000+hdrFtab:])) + 16, words(0x20)},
		{"a name at 3 of", record("main.main", recName), words(3)},
		{"a name at", record("main.main", recName), words(1 << 31)},
		{"deferreturn", record("main.main", recDeferReturn), words(0x30)},
		{"span tables", record("main.main", recTables), words(1 << 31)},
		{"file 0, which its package does not have", record("main.main", recCU), words(1 << 31)},
		{"a span table at 9999", record("main.main", recDepths), words(9999)},
		{"a span of", values + 2, []byte{0x7f}},
		{"inlined call 0", record("main.outer", recordSize+3*4+3*4), words(1 << 31)},
		{"the caller of inlined call 0", inlined + inlinedParent, words(0x40)},
		{"or more inlined calls", inlined + inlinedParent, words(0x18)},
	} {
		t.Run(c.want, func(t *testing.T) {
			bad := append([]byte(nil), good...)
			copy(bad[c.at:], c.to)
			_, err := Parse(bad)
			require.ErrorContains(t, err, c.want)
			require.ErrorIs(t, err, ErrFormat)
			var e *FormatError
			require.ErrorAs(t, err, &e)
			require.Equal(t, e.Limit != 0, errors.Is(err, ErrLimit))
		})
	}
	for n := range len(good) {
		if n >= sampleSize && n%8 != 0 || n < sampleSize && n%64 != 0 {
			continue
		}
		_, err := Parse(append([]byte(nil), good[:n]...))
		require.ErrorIs(t, err, ErrFormat, "the first %d bytes", n)
	}
}

// A file may have any number of things that look like a moduledata, each with a
// long list of sections to check.
func TestWhatLooksLikeModuledataIsTriedAFewTimes(t *testing.T) {
	s := samples()[0]
	file := s.build()
	md := append([]byte(nil), file[0x3000:0x3000+8*mdWords]...)
	le.PutUint64(md[8*s.layout.textsects+8:], 2) // not the capacity
	for range 20 {
		file = append(file, md...)
	}
	size := uint64(len(file) - 0x3000)
	copy(file[elfHeader+2*progHeader+32:], quads(size, size))
	_, err := Parse(file)
	require.ErrorIs(t, err, ErrLimit)
	require.ErrorContains(t, err, "unknown layout")
}

func TestTwoFunctionTablesAreTooMany(t *testing.T) {
	file := samples()[0].build()
	file = append(file, file[0x3000:0x3000+8*mdWords]...)
	size := uint64(len(file) - 0x3000)
	copy(file[elfHeader+2*progHeader+32:], quads(size, size))
	_, err := Parse(file)
	require.ErrorContains(t, err, "more than one")
}

// addressOf returns the address of part, a slice of the image's memory.
func addressOf(t *Table, part []byte) uint64 {
	for i := range t.Image.segs {
		s := &t.Image.segs[i]
		for off := range s.data {
			if &s.data[off] == &part[0] {
				return s.addr + uint64(off)
			}
		}
	}
	panic("not of the image")
}

func TestOpenNamesTheFile(t *testing.T) {
	name := t.TempDir() + "/x"
	require.NoError(t, os.WriteFile(name, []byte("#!/bin/sh\n"), 0o666))
	_, err := Open(name)
	require.ErrorIs(t, err, ErrFormat)
	require.ErrorContains(t, err, name)
	_, err = Open(name + "y")
	require.ErrorIs(t, err, os.ErrNotExist)
}
