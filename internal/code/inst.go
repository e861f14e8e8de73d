package code

import (
	"encoding/binary"
	"errors"
	"fmt"
)

var le = binary.LittleEndian

// An Op says what an instruction does, if it is among what this package follows.
type Op uint8

const (
	Other   Op = iota // continues with the next instruction; changes Writes
	Call              // calls Target
	CallReg           // calls the address in Src; NoReg if the operand is of another kind
	CallMem           // calls the address at Mem
	Jump              // goes to Target
	JumpReg           // goes to the address in Src, as CallReg
	JumpMem           // goes to the address at Mem
	Branch            // goes to Target or continues
	Return            // returns to the caller
	Trap              // faults: what follows is not reached
	Break             // stops for a debugger, which may continue the program
	Const             // Dst = Imm
	Insert            // Dst = Dst with the 16 bits at Shift replaced by Imm
	Move              // Dst = Src
	Add               // Dst = Src + Imm
	Sum               // Dst = Src + Src2
	Sub               // Dst = Src - Src2
	Load              // Dst = the eight bytes at Mem
)

var opNames = [...]string{"other", "call", "call reg", "call mem", "jump", "jump reg", "jump mem", "branch", "return", "trap",
	"break", "const", "insert", "move", "add", "sum", "sub", "load"}

func (o Op) String() string {
	if int(o) < len(opNames) {
		return opNames[o]
	}
	return "unknown"
}

// Continues reports whether the next instruction may follow.
func (o Op) Continues() bool {
	switch o {
	case Jump, JumpReg, JumpMem, Return, Trap:
		return false
	}
	return true
}

// A Reg is a general register. On amd64, 0 to 15 are RAX, RCX, RDX, RBX, RSP,
// RBP, RSI, RDI, R8 to R15, as instructions number them. On arm64, 0 to 30 are
// R0 to R30, and 31 is SP.
type Reg uint8

// NoReg stands for an absent register. A Mem without a base is at address Disp.
const NoReg Reg = 0xff

// A RegSet is a set of general registers: bit i for register i.
type RegSet uint32

// Has reports whether r is in s.
func (s RegSet) Has(r Reg) bool { return r < 32 && s>>r&1 != 0 }

func set(rs ...Reg) RegSet {
	var s RegSet
	for _, r := range rs {
		if r < 32 {
			s |= 1 << r
		}
	}
	return s
}

// A Mem is an operand in memory: at Base + Index*Scale + Disp. An operand
// relative to the instruction is given as an address.
type Mem struct {
	Base, Index Reg
	Scale       uint8
	Disp        int64
}

// An Inst is a decoded instruction.
type Inst struct {
	Len            int
	Op             Op
	Dst, Src, Src2 Reg
	Mem            Mem
	Target         uint64
	Imm            int64
	Relative       bool // Imm of a Const is an address that the instruction gives relative to itself
	Shift          uint8

	// Writes are the general registers, other than SP, that it may change. It
	// may have some too many: never too few.
	Writes RegSet

	// SP is what it adds to SP. If SPWrite is set, it sets SP in some other way:
	// by Move, Add, Sum or Sub from registers, or so that nothing is known.
	SP      int64
	SPWrite bool
}

// ErrUnknown says that some bytes are no instruction that the decoder knows.
var ErrUnknown = errors.New("code: unknown instruction")

// An UnknownError says which bytes are no instruction that the decoder knows.
type UnknownError struct {
	PC    uint64
	Bytes []byte // at most 15
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("code: unknown instruction at %#x: % x", e.PC, e.Bytes)
}

// Is reports whether target is ErrUnknown.
func (e *UnknownError) Is(target error) bool { return target == ErrUnknown }

const maxLen = 15 // of an instruction

func unknown(b []byte, pc uint64) error {
	return &UnknownError{pc, append([]byte(nil), b[:min(len(b), maxLen)]...)}
}

// A Decoder decodes the instructions of an architecture.
type Decoder struct {
	decode func(b []byte, pc uint64) (Inst, bool)

	SP      Reg
	Context Reg    // holds the func value that is called
	Args    [4]Reg // hold the first integer arguments of a call
	Quantum int    // size of the smallest instruction
}

var (
	amd64 = Decoder{decodeAMD64, rsp, rdx, [4]Reg{rax, rbx, rcx, rdi}, 1}
	arm64 = Decoder{decodeARM64, sp, 26, [4]Reg{0, 1, 2, 3}, 4}
)

// For returns the decoder for a GOARCH: amd64 or arm64. For others it returns nil.
func For(goarch string) *Decoder {
	switch goarch {
	case "amd64":
		return &amd64
	case "arm64":
		return &arm64
	}
	return nil
}

// Decode decodes the instruction that b begins with and that is at address pc.
// The error Is [ErrUnknown].
func (d *Decoder) Decode(b []byte, pc uint64) (Inst, error) {
	in, ok := d.decode(b, pc)
	if !ok {
		return Inst{}, unknown(b, pc)
	}
	if in.Writes.Has(d.SP) {
		in.Writes &^= set(d.SP)
		in.SPWrite = true
	}
	return in, nil
}
