package pcln

import "strings"

// A stringTable has strings that each end with a zero byte, one after the other.
// Parse adds those that the table of functions names; later they are only read.
type stringTable struct {
	text  string
	known map[uint32]string // by offset
}

const maxNameSize = 1 << 16

func newStringTable(b []byte) *stringTable {
	return &stringTable{string(b), map[uint32]string{}}
}

// add returns the string at offset off. A string begins where another ends. This
// keeps the time that a hostile file can take proportional to its size.
func (t *stringTable) add(off uint32) (string, *FormatError) {
	if s, ok := t.known[off]; ok {
		return s, nil
	}
	if uint64(off) >= uint64(len(t.text)) || off > 0 && t.text[off-1] != 0 {
		return "", formatf("a name at %d of %d", off, len(t.text))
	}
	s := t.text[off:]
	n := strings.IndexByte(s[:min(len(s), maxNameSize)], 0)
	if n < 0 {
		return "", limitf(maxNameSize-1, "a name at %d of %d bytes or more", off, min(len(s), maxNameSize))
	}
	t.known[off] = s[:n]
	return s[:n], nil
}

// get returns a string that has been added.
func (t *stringTable) get(off uint32) string { return t.known[off] }
