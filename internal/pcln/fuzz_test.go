package pcln

import "testing"

// use calls everything that a table offers.
func use(t *Table) (frames int) {
	for _, f := range t.Funcs {
		f.File()
		f.Text()
		f.MaxDepth()
		for _, pc := range f.places() {
			f.Depth(pc)
			frames += len(f.Frames(pc))
		}
		for i := range 8 {
			f.PCData(i)
			if a, ok := f.FuncData(i); ok {
				t.Image.Uint64(a)
			}
		}
		t.Lookup(f.Name)
		t.Find(f.Entry)
	}
	return frames
}

// Any file is read or refused.
func FuzzParse(f *testing.F) {
	for _, s := range samples() {
		f.Add(s.build())
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		if tab, err := Parse(file); err == nil {
			use(tab)
		}
	})
}

// A file with tables that differ in a few places is read or refused. The input is a
// list of changes, each of four bytes: where, and what is written there.
func FuzzParseChanged(f *testing.F) {
	all := samples()
	for i := range all {
		f.Add(uint8(i), []byte{0x2a, 0x03, 0x00, 0xff, 0x10, 0x07, 0x01, 0x7f})
	}
	f.Fuzz(func(t *testing.T, kind uint8, changes []byte) {
		file := all[int(kind)%len(all)].build()
		for ; len(changes) >= 4; changes = changes[4:] {
			// The content of the read-only segment and of the data, then the headers.
			at := 0x2000 + int(le.Uint16(changes))%(0x700)
			if changes[2]&0x40 != 0 {
				at = 0x3000 + int(le.Uint16(changes))%(8*mdWords+64)
			} else if changes[2]&0x80 != 0 {
				at = int(le.Uint16(changes)) % (elfHeader + 4*progHeader)
			}
			file[at] = changes[3]
		}
		if tab, err := Parse(file); err == nil {
			use(tab)
		}
	})
}
