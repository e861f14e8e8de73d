package code_test

import (
	"slices"
	"testing"

	"github.com/stackhop/stackhop/internal/code"
	"github.com/stretchr/testify/require"
)

const entry = 0x1000

// memory has words at addresses; those from 0x8000 on may be changed.
type memory map[uint64]uint64

func (m memory) Uint64(addr uint64) (uint64, bool) { w, ok := m[addr]; return w, ok }
func (m memory) Writable(addr uint64) bool         { return addr >= 0x8000 }

func analyze64(t *testing.T, mem code.Memory, parts ...[]byte) *code.Body {
	t.Helper()
	b, err := code.Analyze(code.For("amd64"), slices.Concat(parts...), entry, mem)
	require.NoError(t, err)
	return b
}

var (
	leaAX  = []byte{0x48, 0x8d, 0x05, 0xf9, 0x0f, 0, 0} // LEAQ 0x2000, AX, at the entry
	leaDX  = []byte{0x48, 0x8d, 0x15, 0xf9, 0x0f, 0, 0}
	callAX = []byte{0xff, 0xd0}
	callDX = []byte{0xff, 0x12} // CALL (DX)
	ret    = []byte{0xc3}
	call   = []byte{0xe8, 0, 0x10, 0, 0}
)

func TestACallThroughAKnownRegisterIsDirect(t *testing.T) {
	b := analyze64(t, nil, leaAX, callAX, ret)
	require.Equal(t, []code.Ref{{entry, 0x2000}}, b.Refs)
	require.Len(t, b.Sites, 1)
	s := b.Sites[0]
	require.True(t, s.Direct)
	require.EqualValues(t, 0x2000, s.Target)
	require.Equal(t, code.Value{Kind: code.Known, N: 0x2000}, s.Args[0])
	require.Equal(t, 3, b.Insts)
}

// Behind the label the register has what the loop left in it.
func TestValuesEndAtLabels(t *testing.T) {
	for name, loop := range map[string][]byte{
		"JMP": {0xeb, 0xfc},
		"JNE": {0x75, 0xfc},
	} {
		b := analyze64(t, nil, leaAX, callAX, loop, ret)
		require.Len(t, b.Sites, 1, name)
		require.False(t, b.Sites[0].Direct, name)
		require.Equal(t, code.Value{}, b.Sites[0].From, name)
	}
}

func TestValuesEndAtCallsAndWrites(t *testing.T) {
	for name, between := range map[string][]byte{
		"CALL": call,
		"MULQ": {0x48, 0xf7, 0xe1},
		"MOVB": {0xb4, 1}, // AH
		"INT3": {0xcc},
	} {
		b := analyze64(t, nil, leaAX, between, callAX, ret)
		s := b.Sites[len(b.Sites)-1]
		require.False(t, s.Direct, name)
		require.Equal(t, code.Value{}, s.From, name)
	}
}

func TestFuncValuesAndMethodsAreToldApart(t *testing.T) {
	loaded := analyze64(t, nil, []byte{0x48, 0x8b, 0x0a, 0xff, 0xd1}, ret).Sites[0] // MOVQ (DX), CX; CALL CX
	require.True(t, loaded.FuncValue)
	moved := analyze64(t, nil, []byte{0x48, 0x8b, 0x0b, 0x48, 0x89, 0xda, 0xff, 0xd1}, ret).Sites[0] // MOVQ (BX), CX; MOVQ BX, DX; CALL CX
	require.True(t, moved.FuncValue)
	changed := analyze64(t, nil, []byte{0x48, 0x8b, 0x0b, 0x48, 0x89, 0xc3, 0x48, 0x89, 0xda, 0xff, 0xd1}, ret).Sites[0] // with MOVQ AX, BX between
	require.False(t, changed.FuncValue)
	direct := analyze64(t, nil, callDX, ret).Sites[0]
	require.True(t, direct.FuncValue)
	method := analyze64(t, nil, []byte{0xff, 0x50, 0x18}, ret).Sites[0]
	require.False(t, method.FuncValue)
	require.Equal(t, code.Value{Kind: code.Loaded, Base: rax, N: 24}, method.From)
	tail := analyze64(t, nil, []byte{0xff, 0x22}).Sites[0] // JMP (DX)
	require.True(t, tail.FuncValue && tail.Jump)
}

func TestAStaticFuncValueIsDirect(t *testing.T) {
	b := analyze64(t, memory{0x2000: 0x3000}, leaDX, callDX, ret)
	s := b.Sites[0]
	require.True(t, s.Direct)
	require.EqualValues(t, 0x3000, s.Target)
	require.Equal(t, code.Value{Kind: code.Known, N: 0x2000}, s.Context)

	variable := analyze64(t, memory{0x8000: 0x3000}, []byte{0xff, 0x15, 0xfa, 0x6f, 0, 0}, ret).Sites[0] // CALL 0x8000
	require.False(t, variable.Direct)
	require.Equal(t, code.Value{Kind: code.Global, N: 0x8000}, variable.From)
}

func TestAJumpTableLeadsToItsTargets(t *testing.T) {
	text := [][]byte{leaAX, {0xff, 0x24, 0xc8}, {0x06}, call, ret, call, ret} // JMP (AX)(CX*8), a number, two cases
	b := analyze64(t, memory{0x2000: entry + 11, 0x2008: entry + 17, 0x2010: 7}, text...)
	require.False(t, b.Open)
	require.Len(t, b.Sites, 2)
	for _, s := range b.Sites {
		require.False(t, s.Dead)
	}

	// Without the table the number counts as code.
	_, err := code.Analyze(code.For("amd64"), slices.Concat(text...), entry, nil)
	require.ErrorIs(t, err, code.ErrUnknown)
	text[2] = []byte{0x90}
	b = analyze64(t, nil, text...)
	require.True(t, b.Open)
	require.Len(t, b.Sites, 3)
	require.True(t, b.Sites[0].Jump)
}

func TestWhatIsNotReachedIsDead(t *testing.T) {
	text := [][]byte{ret, {0x06}, call, ret}
	b := analyze64(t, nil, text...)
	require.Len(t, b.Sites, 1)
	require.True(t, b.Sites[0].Dead)
	require.Equal(t, 1, b.Insts)
	b, err := code.Analyze(code.For("amd64"), slices.Concat(text...), entry, nil, entry+2)
	require.NoError(t, err)
	require.False(t, b.Sites[0].Dead)
	_, err = code.Analyze(code.For("amd64"), slices.Concat(text...), entry, nil, entry+1)
	var e *code.UnknownError
	require.ErrorAs(t, err, &e)
	require.EqualValues(t, entry+1, e.PC)
}

func TestAJumpIntoAnInstructionIsAnError(t *testing.T) {
	_, err := code.Analyze(code.For("amd64"), slices.Concat(leaAX, []byte{0x75, 0xfb}, ret), entry, nil) // JNE to 4 before itself
	var e *code.OverlapError
	require.ErrorAs(t, err, &e)
	require.ErrorIs(t, err, code.ErrUnknown)
}

func TestJumpsThatLeaveAreSites(t *testing.T) {
	b := analyze64(t, nil, []byte{0x0f, 0x84, 0, 1, 0, 0}, []byte{0xe9, 0, 1, 0, 0})
	require.Len(t, b.Sites, 2)
	require.True(t, b.Sites[0].Jump && b.Sites[0].Cond && b.Sites[0].Direct)
	require.True(t, b.Sites[1].Jump && !b.Sites[1].Cond)
	require.EqualValues(t, entry+0x106, b.Sites[0].Target)

	// A recursive call is a site, a jump to the entry is not.
	b = analyze64(t, nil, []byte{0xe8, 0xfb, 0xff, 0xff, 0xff}, []byte{0xeb, 0xf9})
	require.Len(t, b.Sites, 1)
	require.EqualValues(t, entry, b.Sites[0].Target)
}

func TestARM64AddressesAreFollowed(t *testing.T) {
	text := []byte{
		0x1a, 0, 0, 0xb0, // ADRP 0x2000, R26
		0x5a, 0x43, 0, 0x91, // ADD $16, R26
		0x41, 0x03, 0x40, 0xf9, // MOVD (R26), R1
		0x20, 0, 0x80, 0xd2, // MOVD $1, R0
		0x20, 0, 0xa0, 0xf2, // MOVK $(1<<16), R0
		0x20, 0, 0x3f, 0xd6, // CALL (R1)
		0x41, 0x03, 0x40, 0xf9, // MOVD (R26), R1
		0x20, 0, 0x3f, 0xd6, // CALL (R1)
		0xc0, 0x03, 0x5f, 0xd6, // RET
		0, // less than an instruction
	}
	d := code.For("arm64")
	b, err := code.Analyze(d, text, entry, memory{0x2010: 0x4000})
	require.NoError(t, err)
	require.Equal(t, []code.Ref{{entry + 4, 0x2010}}, b.Refs)
	require.Len(t, b.Sites, 2)
	s := b.Sites[0]
	require.True(t, s.Direct)
	require.EqualValues(t, 0x4000, s.Target)
	require.Equal(t, code.Value{Kind: code.Known, N: 0x2010}, s.Context)
	require.Equal(t, code.Value{Kind: code.Known, N: 0x10001}, s.Args[0])
	require.True(t, b.Sites[1].FuncValue)
}
