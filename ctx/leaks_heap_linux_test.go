package ctx

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

// heapText makes a dump of these numbers and strings.
func heapText(parts ...any) string {
	text := []byte(heapHeader)
	for _, part := range parts {
		switch v := part.(type) {
		case int:
			text = binary.AppendUvarint(text, uint64(v))
		case string:
			text = append(binary.AppendUvarint(text, uint64(len(v))), v...)
		}
	}
	return string(text)
}

func nobody(uint64) bool { return false }

func TestParseHeapRefusesWhatIsNone(t *testing.T) {
	params := []any{tagParams, 0, 8, 0x1000, 0x9000, "amd64", "go1", 1}
	for name, tc := range map[string]struct {
		text string
		want error
	}{
		"nothing":         {"", io.EOF},
		"another header":  {"go1.99 heap dump\n", errors.ErrUnsupported},
		"no record":       {heapHeader, io.EOF},
		"unknown record":  {heapText(99), errors.ErrUnsupported},
		"cut number":      {heapHeader + "\x80", io.ErrUnexpectedEOF},
		"cut data":        {heapText(append(params, tagObject, 0x2000, 1<<30)...), io.EOF},
		"field outside":   {heapText(append(params, tagObject, 0x2000, "12345678", fieldPointer, 1)...), errHeap},
		"field far away":  {heapText(append(params, tagObject, 0x2000, "12345678", fieldPointer, -1)...), errHeap},
		"another field":   {heapText(append(params, tagObject, 0x2000, "12345678", 7, 0)...), errHeap},
		"word of a frame": {heapText(append(params, tagFrame, 1, 2, 3, "12345678", 1, 2, 3, "f", fieldPointer, 8)...), errHeap},
		"pointer size":    {heapText(tagParams, 0, 2), errHeap},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseHeap(bytes.NewReader([]byte(tc.text)), nobody)
			require.ErrorIs(t, err, tc.want)
		})
	}
}

func TestParseHeapReadsEveryRecord(t *testing.T) {
	word := func(addrs ...uint64) string {
		var b []byte
		for _, a := range addrs {
			b = binary.LittleEndian.AppendUint64(b, a)
		}
		return string(b)
	}
	goroutine := func(g int, reason string) []any {
		return []any{tagGoroutine, g, 1, 2, 3, 4, 0, 0, 5, reason, 0x1100 /* ctxt */, 6, 7, 8}
	}
	const dead = 0x1f00 // in a word that is not a live pointer
	// frame has as many live pointers as words that are neither 0 nor dead.
	frame := func(sp int, name string, words ...uint64) []any {
		f := []any{tagFrame, sp, 0, 0, word(words...), 1, 2, 3, name}
		for i, w := range words {
			if w != 0 && w != dead {
				f = append(f, fieldPointer, 8*i)
			}
		}
		return append(f, fieldEnd)
	}
	var parts []any
	for _, p := range [][]any{
		{tagParams, 0, 8, 0x1000, 0x9000, "amd64", "go1", 1},
		{tagType, 1, 16, "a type", 1},
		{tagItab, 1, 2},
		{tagObject, 0x2010, word(0x2000, 0x3000, 7), fieldPointer, 0, fieldPointer, 16, fieldEnd},
		{tagObject, 0x2000, word(0), fieldEnd},
		goroutine(0x4000, "select"),
		frame(0x100, "main.f", 0x1200, 0x100f, dead, 0x8fff, 0x9000),
		frame(0x128, "main.g", 0x150, dead), // points into the frame of main.i
		frame(0x138, "main.h", dead, dead),  // not pointed to
		frame(0x148, "main.i", 0, dead),
		{tagDefer, 0x1300, 2, 3, 4, 0x1308, 5, 6},
		goroutine(0x4080, "preempted"),
		frame(0x200, stoppedBy, dead),
		frame(0x208, "main.j", dead),
		frame(0x210, "main.k", dead),
		goroutine(0x40c0, "select"),
		frame(0x300, "main.l", dead),
		{tagPanic, 1, 2, 3, 0x1400, 0, 0},
		goroutine(0x4100, dumpingReason),
		frame(0x400, "main.dumps", 0x1500),
		goroutine(0x4200, "coroutine"),
		frame(0x500, "main.body", 0x1600, 0x7000),
		frame(0x510, serveName, 0x1700),
		frame(0x518, "main.calls it", 0, 0x7008),
		frame(0x528, "main.main", 0x7000),
		{tagThread, 1, 2, 3},
		{tagOtherRoot, "a root", 0x1800},
		{tagData, 0x100, word(0x1900), fieldPointer, 0, fieldEnd},
		{tagBSS, 0x100, word(0x1a00), fieldPointer, 0, fieldEnd},
		{tagFinalizer, 0x1b00, 0x1c00, 1, 2, 3},
		{tagQueued, 0x1d00, 0x1e00, 1, 2, 3},
		{tagMemStats},
	} {
		parts = append(parts, p...)
	}
	text := heapText(parts...)
	known := func(addr uint64) bool { return addr == 0x7000 || addr == 0x7008 }
	h, err := parseHeap(bytes.NewReader([]byte(text)), known)
	require.NoError(t, err)
	require.Equal(t, []object{{0x2000, 8, 1, 1}, {0x2010, 24, 0, 1}}, h.objects)
	require.Equal(t, []uint64{0x2000}, h.refs)
	require.ElementsMatch(t, []uint64{
		0x1100, 0x1200, 0x100f, 0x8fff, dead, 0x1300, 0x1308, // main.f to main.i
		0x1100, dead, dead, // stoppedBy and main.j
		0x1100, dead, 0x1400, // main.l
		0x1800, 0x1900, 0x1a00, 0x1b00, 0x1c00, 0x1d00, 0x1e00,
	}, h.roots)
	require.Len(t, h.coros, 1)
	require.Equal(t, uint64(0x4200), h.coros[0].g)
	require.Equal(t, uint64(0x7008), h.coros[0].identity)
	require.ElementsMatch(t, []uint64{0x1100, 0x1600, 0x7000, 0x1700, 0x7008, 0x7000}, h.coros[0].refs)
	for i := range len(text) {
		_, err := parseHeap(bytes.NewReader([]byte(text[:i])), known)
		require.Error(t, err, "cut at %d of %d", i, len(text))
	}
}

func TestUnreachedFollowsReferences(t *testing.T) {
	// Objects 0 to 9 of 16 bytes each at 0x1000, 0x1010 and so on.
	addr := func(i int) uint64 { return uint64(0x1000 + 16*i) }
	const id1, id2, id3, task1, task2, task3, g1, g2, other, lost = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
	refs := map[int][]uint64{
		id1: {addr(task1)}, id2: {addr(task2)}, id3: {addr(task3)}, // lead nowhere
		g1: {addr(task1)}, g2: {addr(task2)}, // not followed
		other: {addr(task1) + 8, addr(id2), addr(g2)}, // into the middle
	}
	h := &heap{
		roots: []uint64{addr(other) + 3, 0x5000},
		coros: []coroutine{
			{addr(g1), addr(id1), nil},
			{addr(g2), addr(id2), []uint64{addr(task2)}},
		},
	}
	for i := range 10 {
		o := object{addr: addr(i), size: 16, first: len(h.refs)}
		h.refs = append(h.refs, refs[i]...)
		o.last = len(h.refs)
		h.objects = append(h.objects, o)
	}
	ids := []uint64{addr(id1), addr(id2), addr(id3)}
	one, two, three := suspect{addr(id1), addr(task1)}, suspect{addr(id2), addr(task2)}, suspect{addr(id3), addr(task3)}

	require.Equal(t, []suspect{two, three}, h.unreached(ids, nil, []suspect{one, two, three}))

	h.coros[0].refs = []uint64{addr(task2)} // the stack of one that is reached
	require.Equal(t, []suspect{three}, h.unreached(ids, nil, []suspect{one, two, three}))
	h.coros = append(h.coros, coroutine{addr(lost), addr(id3), []uint64{addr(task2)}})
	h.coros[0].refs = nil
	require.Equal(t, []suspect{two}, h.unreached(ids, map[uint64]bool{addr(id3): true}, []suspect{one, two}), "an idle identity's stack")
	require.Empty(t, h.unreached(ids, nil, []suspect{one, two}), "a running task's stack")
}
