package code_test

import (
	"testing"

	"github.com/stackhop/stackhop/internal/code"
	"github.com/stretchr/testify/require"
)

const (
	rax = code.Reg(iota)
	rcx
	rdx
	rbx
	rsp
	rbp
	rsi
	rdi
)

func regs(rs ...code.Reg) (s code.RegSet) {
	for _, r := range rs {
		s |= 1 << r
	}
	return s
}

func mem(base, index code.Reg, scale uint8, disp int64) code.Mem {
	return code.Mem{Base: base, Index: index, Scale: scale, Disp: disp}
}

var none = code.NoReg

// cases are instructions at address 0x1000, with what they do.
var cases = []struct {
	name, arch string
	code       []byte
	want       code.Inst // without Len, and without Mem unless it matters
}{
	{"CALL", "amd64", []byte{0xe8, 0x10, 0, 0, 0}, code.Inst{Op: code.Call, Target: 0x1015}},
	{"JMP short back", "amd64", []byte{0xeb, 0xfe}, code.Inst{Op: code.Jump, Target: 0x1000}},
	{"JNE", "amd64", []byte{0x0f, 0x85, 0, 1, 0, 0}, code.Inst{Op: code.Branch, Target: 0x1106}},
	{"CALL (DX)", "amd64", []byte{0xff, 0x12}, code.Inst{Op: code.CallMem, Mem: mem(rdx, none, 0, 0)}},
	{"CALL 24(AX)", "amd64", []byte{0xff, 0x50, 0x18}, code.Inst{Op: code.CallMem, Mem: mem(rax, none, 0, 24)}},
	{"CALL v(SB)", "amd64", []byte{0xff, 0x15, 0x00, 0x10, 0, 0}, code.Inst{Op: code.CallMem, Mem: mem(none, none, 0, 0x2006)}},
	{"CALL R9", "amd64", []byte{0x41, 0xff, 0xd1}, code.Inst{Op: code.CallReg, Src: 9}},
	{"JMP (AX)(CX*8)", "amd64", []byte{0xff, 0x24, 0xc8}, code.Inst{Op: code.JumpMem, Mem: mem(rax, rcx, 8, 0)}},
	{"JMP 8(FS)", "amd64", []byte{0x64, 0xff, 0x24, 0x25, 8, 0, 0, 0}, code.Inst{Op: code.JumpReg, Src: none}},
	{"RET", "amd64", []byte{0xc3}, code.Inst{Op: code.Return}},
	{"UD2", "amd64", []byte{0x0f, 0x0b}, code.Inst{Op: code.Trap}},
	{"INT3", "amd64", []byte{0xcc}, code.Inst{Op: code.Break}},
	{"LEAQ f(SB), AX", "amd64", []byte{0x48, 0x8d, 0x05, 0xf9, 0x0f, 0, 0}, code.Inst{Op: code.Const, Dst: rax, Imm: 0x2000, Relative: true, Writes: regs(rax)}},
	{"LEAQ -128(SP), R12", "amd64", []byte{0x4c, 0x8d, 0x64, 0x24, 0x80}, code.Inst{Op: code.Add, Dst: 12, Src: rsp, Imm: -128, Writes: regs(12)}},
	{"LEAQ (AX)(CX*2), DX", "amd64", []byte{0x48, 0x8d, 0x14, 0x48}, code.Inst{Writes: regs(rdx)}},
	{"MOVQ (DX), CX", "amd64", []byte{0x48, 0x8b, 0x0a}, code.Inst{Op: code.Load, Dst: rcx, Mem: mem(rdx, none, 0, 0), Writes: regs(rcx)}},
	{"MOVQ (TLS), R14", "amd64", []byte{0x64, 0x4c, 0x8b, 0x34, 0x25, 0xf8, 0xff, 0xff, 0xff}, code.Inst{Writes: regs(14)}},
	{"MOVL (DX), CX", "amd64", []byte{0x8b, 0x0a}, code.Inst{Writes: regs(rcx)}},
	{"MOVQ R8, DI", "amd64", []byte{0x4c, 0x89, 0xc7}, code.Inst{Op: code.Move, Dst: rdi, Src: 8, Writes: regs(rdi)}},
	{"MOVL $-1, CX", "amd64", []byte{0xb9, 0xff, 0xff, 0xff, 0xff}, code.Inst{Op: code.Const, Dst: rcx, Imm: 0xffffffff, Writes: regs(rcx)}},
	{"MOVQ $-1, CX", "amd64", []byte{0x48, 0xc7, 0xc1, 0xff, 0xff, 0xff, 0xff}, code.Inst{Op: code.Const, Dst: rcx, Imm: -1, Writes: regs(rcx)}},
	{"MOVABS", "amd64", []byte{0x49, 0xbb, 1, 0, 0, 0, 0, 0, 0, 0x80}, code.Inst{Op: code.Const, Dst: 11, Imm: -1<<63 + 1, Writes: regs(11)}},
	{"XORL AX, AX", "amd64", []byte{0x31, 0xc0}, code.Inst{Op: code.Const, Dst: rax, Writes: regs(rax)}},
	{"SUBQ $16, SP", "amd64", []byte{0x48, 0x83, 0xec, 0x10}, code.Inst{Op: code.Add, Dst: rsp, Src: rsp, Imm: -16, SP: -16}},
	{"ADDQ $-128, SP", "amd64", []byte{0x48, 0x83, 0xc4, 0x80}, code.Inst{Op: code.Add, Dst: rsp, Src: rsp, Imm: -128, SP: -128}},
	{"ANDQ $-16, SP", "amd64", []byte{0x48, 0x83, 0xe4, 0xf0}, code.Inst{SPWrite: true}},
	{"MOVQ BP, SP", "amd64", []byte{0x48, 0x89, 0xec}, code.Inst{Op: code.Move, Dst: rsp, Src: rbp, SPWrite: true}},
	{"PUSHQ BP", "amd64", []byte{0x55}, code.Inst{SP: -8}},
	{"POPQ R12", "amd64", []byte{0x41, 0x5c}, code.Inst{SP: 8, Writes: regs(12)}},
	{"CMPQ SP, 16(R14)", "amd64", []byte{0x49, 0x3b, 0x66, 0x10}, code.Inst{}},
	{"MOVB AL, AH", "amd64", []byte{0x88, 0xc4}, code.Inst{Writes: regs(rax)}},
	{"MOVB AL, SIB", "amd64", []byte{0x40, 0x88, 0xc6}, code.Inst{Writes: regs(rsi)}},
	{"MULQ CX", "amd64", []byte{0x48, 0xf7, 0xe1}, code.Inst{Writes: regs(rax, rdx)}},
	{"TESTL $1, CX", "amd64", []byte{0xf7, 0xc1, 1, 0, 0, 0}, code.Inst{}},
	{"LOCK CMPXCHGQ CX, (DX)", "amd64", []byte{0xf0, 0x48, 0x0f, 0xb1, 0x0a}, code.Inst{Writes: regs(rax)}},
	{"MOVQ X0, SP's number", "amd64", []byte{0xf3, 0x0f, 0x7e, 0xe0}, code.Inst{}},
	{"MOVQ X0, AX", "amd64", []byte{0x66, 0x48, 0x0f, 0x7e, 0xc0}, code.Inst{Writes: regs(rax)}},
	{"VZEROUPPER", "amd64", []byte{0xc5, 0xf8, 0x77}, code.Inst{}},
	{"ADCXQ AX, DX", "amd64", []byte{0x66, 0x48, 0x0f, 0x38, 0xf6, 0xd0}, code.Inst{Writes: regs(rdx)}},
	{"MULXQ AX, CX, DX", "amd64", []byte{0xc4, 0xe2, 0xf3, 0xf6, 0xd0}, code.Inst{Writes: regs(rcx, rdx)}},
	{"VPERMB in EVEX", "amd64", []byte{0x62, 0xf2, 0x7d, 0x48, 0x8d, 0x04, 0x24}, code.Inst{}},
	{"SYSCALL", "amd64", []byte{0x0f, 0x05}, code.Inst{Writes: regs(rax, rcx, rdx, 11)}},

	{"BL", "arm64", []byte{0x04, 0, 0, 0x94}, code.Inst{Op: code.Call, Target: 0x1010, Writes: regs(30)}},
	{"B back", "arm64", []byte{0xff, 0xff, 0xff, 0x17}, code.Inst{Op: code.Jump, Target: 0xffc}},
	{"CBZ", "arm64", []byte{0x40, 0, 0, 0xb4}, code.Inst{Op: code.Branch, Target: 0x1008}},
	{"TBNZ", "arm64", []byte{0xe0, 0xff, 0x07, 0x37}, code.Inst{Op: code.Branch, Target: 0xffc}},
	{"BLR R3", "arm64", []byte{0x60, 0, 0x3f, 0xd6}, code.Inst{Op: code.CallReg, Src: 3, Writes: regs(30)}},
	{"BR R27", "arm64", []byte{0x60, 0x03, 0x1f, 0xd6}, code.Inst{Op: code.JumpReg, Src: 27}},
	{"RET", "arm64", []byte{0xc0, 0x03, 0x5f, 0xd6}, code.Inst{Op: code.Return}},
	{"BRK", "arm64", []byte{0, 0, 0x20, 0xd4}, code.Inst{Op: code.Break}},
	{"UDF", "arm64", []byte{0, 0, 0, 0}, code.Inst{Op: code.Trap}},
	{"SVC", "arm64", []byte{1, 0, 0, 0xd4}, code.Inst{Writes: regs(0)}},
	{"ADRP", "arm64", []byte{0x01, 0, 0, 0xb0}, code.Inst{Op: code.Const, Dst: 1, Imm: 0x2000, Relative: true, Writes: regs(1)}},
	{"ADD $8, R1, R2", "arm64", []byte{0x22, 0x20, 0, 0x91}, code.Inst{Op: code.Add, Dst: 2, Src: 1, Imm: 8, Writes: regs(2)}},
	{"SUB $16, RSP", "arm64", []byte{0xff, 0x43, 0, 0xd1}, code.Inst{Op: code.Add, Dst: 31, Src: 31, Imm: -16, SP: -16}},
	{"MOVD R20, RSP", "arm64", []byte{0x9f, 0x02, 0, 0x91}, code.Inst{Op: code.Move, Dst: 31, Src: 20, SPWrite: true}},
	{"SUB R27, RSP, R20", "arm64", []byte{0xf4, 0x63, 0x3b, 0xcb}, code.Inst{Op: code.Sub, Dst: 20, Src: 31, Src2: 27, Writes: regs(20)}},
	{"MOVD.W R30, -32(RSP)", "arm64", []byte{0xfe, 0x0f, 0x1e, 0xf8}, code.Inst{SP: -32}},
	{"LDP.P 16(RSP), (R29, R30)", "arm64", []byte{0xfd, 0x7b, 0xc1, 0xa8}, code.Inst{SP: 16, Writes: regs(29, 30)}},
	{"MOVD (R26), R1", "arm64", []byte{0x41, 0x03, 0x40, 0xf9}, code.Inst{Op: code.Load, Dst: 1, Mem: mem(26, none, 0, 0), Writes: regs(1)}},
	{"MOVD (R1)(R2<<3), R27", "arm64", []byte{0x3b, 0x78, 0x62, 0xf8}, code.Inst{Op: code.Load, Dst: 27, Mem: mem(1, 2, 8, 0), Writes: regs(27)}},
	{"MOVD R0, 8(R1)", "arm64", []byte{0x20, 0x04, 0, 0xf9}, code.Inst{}},
	{"MOVD $0x18000, R0", "arm64", []byte{0xe0, 0x07, 0x71, 0xb2}, code.Inst{Op: code.Const, Dst: 0, Imm: 0x18000, Writes: regs(0)}},
	{"MOVD $-2, R0", "arm64", []byte{0x20, 0, 0x80, 0x92}, code.Inst{Op: code.Const, Dst: 0, Imm: -2, Writes: regs(0)}},
	{"MOVK $(1<<16), R0", "arm64", []byte{0x20, 0, 0xa0, 0xf2}, code.Inst{Op: code.Insert, Dst: 0, Imm: 1, Shift: 16, Writes: regs(0)}},
	{"MOVD ZR, R3", "arm64", []byte{0xe3, 0x03, 0x1f, 0xaa}, code.Inst{Op: code.Const, Dst: 3, Writes: regs(3)}},
	{"CMP R1, R2", "arm64", []byte{0x5f, 0, 0x01, 0xeb}, code.Inst{}},
	{"LDADDAL R0, (R1), R2", "arm64", []byte{0x22, 0, 0xe0, 0xf8}, code.Inst{Writes: regs(0, 2)}},
	{"FMOVD F0, (RSP)", "arm64", []byte{0xe0, 0x03, 0, 0xfd}, code.Inst{}},
}

func TestInstructionsDoWhatTheManualSays(t *testing.T) {
	for _, c := range cases {
		t.Run(c.arch+" "+c.name, func(t *testing.T) {
			got, err := code.For(c.arch).Decode(append(c.code[:len(c.code):len(c.code)], 0xcc, 0xcc), 0x1000)
			require.NoError(t, err)
			want := c.want
			want.Len = len(c.code)
			switch want.Op { // fields that other operations leave undefined
			case code.Other, code.Call, code.Jump, code.Branch, code.Return, code.Trap, code.Break:
				got.Mem, got.Dst, got.Src, got.Src2, got.Imm = code.Mem{}, 0, 0, 0, 0
			case code.Const, code.Move, code.Add, code.Insert, code.Sub:
				got.Mem = code.Mem{}
				if want.Op != code.Sub {
					got.Src2 = 0
				}
				if want.Op == code.Const || want.Op == code.Insert {
					got.Src = 0
				}
				if want.Op != code.Const && want.Op != code.Add && want.Op != code.Insert {
					got.Imm = 0
				}
			case code.Load, code.CallMem, code.JumpMem, code.CallReg, code.JumpReg:
				got.Imm, got.Src2 = 0, 0
				if want.Op == code.CallReg || want.Op == code.JumpReg {
					got.Mem, got.Dst = code.Mem{}, 0
				} else {
					got.Src = 0
				}
				if want.Op != code.Load {
					got.Dst = 0
				}
			}
			require.Equal(t, want, got)
			for n := range c.code {
				_, err := code.For(c.arch).Decode(c.code[:n], 0x1000)
				require.ErrorIs(t, err, code.ErrUnknown, "the first %d bytes", n)
			}
		})
	}
}

func TestWhatHasNoKnownLengthIsRefused(t *testing.T) {
	for _, b := range [][]byte{
		{}, {0x06}, {0x9a}, {0xea}, {0xd6}, {0x0f, 0x04}, {0x0f, 0x24}, {0x48, 0x66, 0x90}, {0x48, 0xc5, 0xf8, 0x77}, {0x66, 0xc5, 0xf8, 0x77},
		{0xc4, 0xe4, 0x78, 0x77}, {0x62, 0xf4, 0x7c, 0x48, 0x10, 0xc0}, {0x66, 0xe8, 0, 0, 0, 0}, {0x8d, 0xc0}, {0x8f, 0xe9, 0x78, 0xe1, 0xc0},
		{0xff, 0xd8}, {0xff, 0xf8}, {0xfe, 0xd0}, {0xc7, 0xc8, 0, 0, 0, 0}, {0x66, 0x0f, 0x78, 0xc0, 1, 2},
		{0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x90},
	} {
		_, err := code.For("amd64").Decode(append(b[:len(b):len(b)], make([]byte, 8*min(1, len(b)))...), 0x1000)
		require.ErrorIs(t, err, code.ErrUnknown, "% x", b)
	}
	require.Nil(t, code.For("riscv64"))
}
