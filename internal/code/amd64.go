package code

const (
	rax Reg = iota
	rcx
	rdx
	rbx
	rsp
	rbp
	rsi
	rdi
	r11 Reg = 11
)

// What follows an opcode, by opcode:
//
//	.  nothing              m  ModRM                  j  a distance of 8 bits
//	b  8 bits               B  ModRM and 8 bits       J  a distance of 32 bits
//	z  32 bits, 16 with 66  Z  ModRM and 32 bits, 16 with 66
//	v  as many bits as the operand has                w  16 bits
//	o  an address           e  24 bits                g  ModRM, and 8 bits if it is TEST
//	-  not an instruction   p  prefix: another opcode G  ModRM, and 32 bits if it is TEST
const oneByte = "" +
	"mmmmbz--mmmmbz-p" + // 00
	"mmmmbz--mmmmbz--" + // 10
	"mmmmbzp-mmmmbzp-" + // 20
	"mmmmbzp-mmmmbzp-" + // 30
	"pppppppppppppppp" + // 40
	"................" + // 50
	"--pmppppzZbB...." + // 60
	"jjjjjjjjjjjjjjjj" + // 70
	"BZ-Bmmmmmmmmmmmm" + // 80
	"..........-....." + // 90
	"oooo....bz......" + // a0
	"bbbbbbbbvvvvvvvv" + // b0
	"BBw.ppBZe.w..b-." + // c0
	"mmmm---.mmmmmmmm" + // d0
	"jjjjbbbbJJ-j...." + // e0
	"p.pp..gG......mm" //   f0

// The same after 0F. 38 and 3A lead on: after them, and in the corresponding
// maps of VEX and EVEX, everything has ModRM, after 3A with 8 bits more.
const twoBytes = "" +
	"mmmm-.....-.-m.B" + // 00
	"mmmmmmmmmmmmmmmm" + // 10
	"mmmm----mmmmmmmm" + // 20
	"......-.p-p-----" + // 30
	"mmmmmmmmmmmmmmmm" + // 40
	"mmmmmmmmmmmmmmmm" + // 50
	"mmmmmmmmmmmmmmmm" + // 60
	"BBBBmmm.mm--mmmm" + // 70
	"JJJJJJJJJJJJJJJJ" + // 80
	"mmmmmmmmmmmmmmmm" + // 90
	"...mBm--...mBmmm" + // a0
	"mmmmmmmmmmBmmmmm" + // b0
	"mmBmBBBm........" + // c0
	"mmmmmmmmmmmmmmmm" + // d0
	"mmmmmmmmmmmmmmmm" + // e0
	"mmmmmmmmmmmmmmmm" //   f0

// An x86 is an instruction being decoded.
type x86 struct {
	b  []byte
	n  int  // bytes read
	ok bool // false once b was too short

	p66, p67, lock bool
	seg            bool // an address relative to FS or GS
	rep            byte // F2 or F3
	rex            byte
	vex, evex      bool
	wide           bool // 64-bit operands
	vvvv           Reg  // of VEX
	table          byte // 0, 1 for 0F, 2 for 0F 38, 3 for 0F 3A
	op             byte

	mod      byte
	reg, rm  Reg
	hasModRM bool
	mem      Mem // if mod is not 3
	ripDisp  bool
}

func (x *x86) byte() byte {
	if x.n >= len(x.b) || x.n >= maxLen {
		x.ok = false
		return 0
	}
	x.n++
	return x.b[x.n-1]
}

// int reads a signed number of n bytes.
func (x *x86) int(n int) int64 {
	var v uint64
	for i := range n {
		v |= uint64(x.byte()) << (8 * i)
	}
	if n == 0 {
		return 0
	}
	return int64(v) << (64 - 8*n) >> (64 - 8*n)
}

func decodeAMD64(b []byte, pc uint64) (in Inst, ok bool) {
	x := x86{b: b, ok: true, vvvv: NoReg, mem: Mem{Base: NoReg, Index: NoReg}}
	form := x.opcode()
	imm := int64(0)
	short := x.p66 && !x.wide
	z := 4
	if short {
		z = 2
	}
	switch form {
	case '-':
		return in, false
	case 'm', 'B', 'Z', 'g', 'G':
		x.modRM()
	}
	switch form {
	case 'b', 'B', 'j':
		imm = x.int(1)
	case 'z', 'Z':
		imm = x.int(z)
	case 'v':
		switch {
		case x.wide:
			imm = x.int(8)
		case short:
			imm = x.int(2)
		default:
			imm = x.int(4)
		}
	case 'J':
		if short {
			return in, false // processors differ in how many bits the distance has
		}
		imm = x.int(4)
	case 'w':
		imm = x.int(2)
	case 'e':
		x.int(3)
	case 'o':
		if x.p67 {
			x.int(4)
		} else {
			x.int(8)
		}
	case 'g':
		if x.reg&7 < 2 {
			imm = x.int(1)
		}
	case 'G':
		if x.reg&7 < 2 {
			imm = x.int(z)
		}
	}
	if !x.ok {
		return in, false
	}
	if x.ripDisp {
		x.mem.Disp += int64(pc) + int64(x.n)
	}
	in = Inst{Len: x.n, Dst: NoReg, Src: NoReg, Src2: NoReg, Mem: x.mem, Imm: imm, Target: pc + uint64(x.n) + uint64(imm)}
	switch x.table {
	case 0:
		ok = x.classify(&in)
	case 1:
		ok = x.classify0F(&in)
	default:
		in.Writes, ok = x.writes(), true
	}
	if in.Op != Call && in.Op != Jump && in.Op != Branch {
		in.Target = 0
	}
	return in, ok
}

// opcode reads the prefixes and the opcode and returns what follows.
func (x *x86) opcode() byte {
	for x.ok {
		c := x.byte()
		switch c {
		case 0x66:
			x.p66 = true
		case 0x67:
			x.p67 = true
		case 0xf0:
			x.lock = true
		case 0xf2, 0xf3:
			x.rep = c
		case 0x26, 0x2e, 0x36, 0x3e: // segments without a meaning
		case 0x64, 0x65:
			x.seg = true
		case 0xc4, 0xc5, 0x62:
			if x.p66 || x.rep != 0 || x.lock {
				return '-'
			}
			return x.vexOpcode(c)
		default:
			if c&0xf0 == 0x40 {
				x.rex, x.wide = c, c&8 != 0
				c = x.byte()
			}
			if c != 0x0f {
				x.op = c
				if oneByte[c] == 'p' {
					return '-' // a prefix after REX
				}
				return oneByte[c]
			}
			x.table, x.op = 1, x.byte()
			switch x.op {
			case 0x38:
				x.table, x.op = 2, x.byte()
				return 'm'
			case 0x3a:
				x.table, x.op = 3, x.byte()
				return 'B'
			case 0x78:
				if x.p66 || x.rep != 0 {
					return '-' // of SSE4a, with two bytes more
				}
			}
			return twoBytes[x.op]
		}
	}
	return '-'
}

// vexOpcode is opcode for what follows c, the first byte of VEX or EVEX.
func (x *x86) vexOpcode(c byte) byte {
	x.vex, x.evex = true, c == 0x62
	m, p := byte(1), byte(0)
	switch c {
	case 0xc5: // R vvvv L pp
		p = x.byte()
		x.rex = ^p >> 5 & 4
	case 0xc4: // RXB mmmmm, W vvvv L pp
		m = x.byte()
		p = x.byte()
		x.rex = ^m >> 5 & 7
		x.wide = p&0x80 != 0
		m &= 0x1f
		if m < 1 || m > 3 {
			return '-'
		}
	case 0x62: // RXBR' 0mmm, W vvvv 1pp, z LL b V' aaa
		m = x.byte()
		p = x.byte()
		x.byte()
		x.rex = ^m >> 5 & 7
		x.wide = p&0x80 != 0
		if m&8 != 0 || p&4 == 0 || m&7 == 0 || m&7 == 4 || m&7 == 7 {
			return '-'
		}
		m &= 7
	}
	x.vvvv = Reg(^p >> 3 & 15)
	x.p66 = p&3 == 1
	if p&3 > 1 {
		x.rep = 0xf5 - p&3 // 2: F3, 3: F2
	}
	x.table, x.op = m, x.byte()
	switch {
	case m == 3:
		return 'B'
	case m != 1:
		return 'm'
	case x.op == 0x77 && !x.evex:
		return '.'
	}
	if f := twoBytes[x.op]; f == 'm' || f == 'B' {
		return f
	}
	return '-'
}

// modRM reads the byte that tells the operands, and what it asks for.
func (x *x86) modRM() {
	c := x.byte()
	x.hasModRM = true
	x.mod = c >> 6
	x.reg = Reg(c>>3&7 | x.rex&4<<1)
	x.rm = Reg(c&7 | x.rex&1<<3)
	if x.mod == 3 {
		return
	}
	x.mem.Base = x.rm
	if c&7 == 4 {
		s := x.byte()
		x.mem.Base = Reg(s&7 | x.rex&1<<3)
		if i := Reg(s>>3&7 | x.rex&2<<2); i != rsp {
			x.mem.Index, x.mem.Scale = i, 1<<(s>>6)
		}
		if s&7 == 5 && x.mod == 0 {
			x.mem.Base = NoReg
			x.mem.Disp = x.int(4)
		}
	} else if c&7 == 5 && x.mod == 0 {
		x.mem.Base = NoReg
		x.mem.Disp = x.int(4)
		x.ripDisp = true
	}
	switch x.mod {
	case 1:
		x.mem.Disp = x.int(1)
	case 2:
		x.mem.Disp = x.int(4)
	}
}

// target returns the register of the rm operand, NoReg if it is in memory.
func (x *x86) target() Reg {
	if x.hasModRM && x.mod == 3 {
		return x.rm
	}
	return NoReg
}

// low returns the general register that byte register r is a part of.
func (x *x86) low(r Reg) Reg {
	if x.rex == 0 && r >= 4 && r < 8 {
		return r - 4 // AH, CH, DH, BH
	}
	return r
}

// opReg returns the register with the number that is in the opcode.
func (x *x86) opReg() Reg { return Reg(x.op&7 | x.rex&1<<3) }

// classify fills in what an instruction with an opcode of one byte does.
func (x *x86) classify(in *Inst) bool {
	op, rm := x.op, x.target()
	w := x.wide
	word := int64(8)
	if x.p66 {
		word = 2
	}
	switch {
	case op < 0x40: // ADD, OR, ADC, SBB, AND, SUB, XOR, CMP
		if op>>3 == 7 {
			break
		}
		switch op & 7 {
		case 0:
			if rm != NoReg {
				in.Writes = set(x.low(rm))
			}
		case 1:
			in.Writes = set(rm)
		case 2:
			in.Writes = set(x.low(x.reg))
		case 3:
			in.Writes = set(x.reg)
		case 4, 5:
			in.Writes = set(rax)
		}
		if (op == 0x31 || op == 0x33) && rm == x.reg && !x.p66 {
			in.Op, in.Dst, in.Imm = Const, rm, 0
		}
		if (op == 0x29 || op == 0x01) && rm != NoReg && w {
			in.Op, in.Dst, in.Src, in.Src2 = Sub, rm, rm, x.reg
			if op == 0x01 {
				in.Op = Sum
			}
		}
	case op < 0x58: // PUSH
		in.SP = -word
	case op < 0x60: // POP
		in.SP = word
		in.Writes = set(x.opReg())
	case op == 0x63, op == 0x69, op == 0x6b: // MOVSXD, IMUL
		in.Writes = set(x.reg)
	case op == 0x68, op == 0x6a: // PUSH
		in.SP = -word
	case op < 0x70: // INS, OUTS
		in.Writes = set(rcx, rsi, rdi)
	case op < 0x80:
		in.Op = Branch
	case op < 0x84:
		return x.arithmetic(in, rm)
	case op < 0x86: // TEST
	case op == 0x86: // XCHG
		in.Writes = set(x.low(x.reg))
		if rm != NoReg {
			in.Writes |= set(x.low(rm))
		}
	case op == 0x87:
		in.Writes = set(x.reg, rm)
	case op == 0x88: // MOV
		if rm != NoReg {
			in.Writes = set(x.low(rm))
		}
	case op == 0x89:
		in.Writes = set(rm)
		if rm != NoReg && w {
			in.Op, in.Dst, in.Src = Move, rm, x.reg
		}
	case op == 0x8a:
		in.Writes = set(x.low(x.reg))
	case op == 0x8b:
		in.Writes = set(x.reg)
		if w {
			in.Op, in.Dst, in.Src = Move, x.reg, rm
			if rm == NoReg {
				in.Op = Load
			}
			if x.seg || x.p67 {
				in.Op = Other
			}
		}
	case op == 0x8c:
		in.Writes = set(rm)
	case op == 0x8d: // LEA
		if rm != NoReg {
			return false
		}
		in.Writes = set(x.reg)
		if m := x.mem; w && m.Index == NoReg && !x.p67 {
			in.Op, in.Dst, in.Src, in.Imm = Add, x.reg, m.Base, m.Disp
			if m.Base == NoReg {
				in.Op, in.Relative = Const, x.ripDisp
			}
			if x.reg == rsp && m.Base == rsp {
				in.SP, in.Writes = m.Disp, 0
			}
		}
	case op == 0x8f: // POP
		if x.reg&7 != 0 {
			return false // XOP
		}
		in.SP = word
		in.Writes = set(rm)
	case op < 0x98: // XCHG, NOP
		if x.opReg() != rax {
			in.Writes = set(rax, x.opReg())
		}
	case op < 0x9a: // CBW, CWD and the like
		in.Writes = set(rax, rdx)
	case op == 0x9c:
		in.SP = -word
	case op == 0x9d:
		in.SP = word
	case op < 0xa0: // WAIT, SAHF, LAHF
		in.Writes = set(rax)
	case op == 0xa8, op == 0xa9: // TEST
	case op < 0xb0: // MOV, and string instructions
		in.Writes = set(rax, rcx, rsi, rdi)
	case op < 0xb8:
		in.Writes = set(x.low(x.opReg()))
	case op < 0xc0:
		in.Writes = set(x.opReg())
		if x.wide || !x.p66 {
			in.Op, in.Dst = Const, x.opReg()
			if !w {
				in.Imm = int64(uint32(in.Imm))
			}
		}
	case op == 0xc0, op == 0xd0, op == 0xd2: // shifts
		if rm != NoReg {
			in.Writes = set(x.low(rm))
		}
	case op == 0xc1, op == 0xd1, op == 0xd3:
		in.Writes = set(rm)
	case op == 0xc2, op == 0xc3, op == 0xca, op == 0xcb, op == 0xcf:
		in.Op = Return
	case op == 0xc6, op == 0xc7:
		return x.moveImm(in, rm)
	case op == 0xc8, op == 0xc9: // ENTER, LEAVE
		in.Writes = set(rbp)
		in.SPWrite = true
	case op == 0xcc, op == 0xf1: // INT3, INT1
		in.Op = Break
	case op == 0xf4: // HLT
		in.Op = Trap
	case op == 0xcd: // INT
		in.Writes = ^RegSet(0) &^ set(rsp)
	case op == 0xd7: // XLAT
		in.Writes = set(rax)
	case op >= 0xd8 && op < 0xe0: // x87: FNSTSW writes AX
		in.Writes = set(rax)
	case op >= 0xe0 && op < 0xe4: // LOOP, JRCXZ
		in.Op = Branch
		in.Writes = set(rcx)
	case op == 0xe8:
		in.Op = Call
	case op == 0xe9, op == 0xeb:
		in.Op = Jump
	case op < 0xf0: // IN, OUT
		in.Writes = set(rax)
	case op == 0xf6, op == 0xf7:
		switch x.reg & 7 {
		case 0, 1: // TEST
		case 2, 3: // NOT, NEG
			if rm != NoReg {
				in.Writes = set(rm)
				if op == 0xf6 {
					in.Writes = set(x.low(rm))
				}
			}
		default: // MUL, IMUL, DIV, IDIV
			in.Writes = set(rax, rdx)
		}
	case op == 0xfe:
		if x.reg&7 > 1 {
			return false
		}
		if rm != NoReg {
			in.Writes = set(x.low(rm))
		}
	case op == 0xff:
		return x.group5(in, rm, word)
	}
	return true
}

// arithmetic is for the opcodes of ADD, OR, ADC, SBB, AND, SUB, XOR and CMP with
// a number.
func (x *x86) arithmetic(in *Inst, rm Reg) bool {
	which := x.reg & 7
	if which == 7 || rm == NoReg { // CMP
		return true
	}
	if x.op == 0x80 {
		in.Writes = set(x.low(rm))
		return true
	}
	in.Writes = set(rm)
	if x.wide && (which == 0 || which == 5) {
		in.Op, in.Dst, in.Src = Add, rm, rm
		if which == 5 {
			in.Imm = -in.Imm
		}
		if rm == rsp {
			in.SP, in.Writes = in.Imm, 0
		}
	}
	return true
}

// moveImm is for the opcodes of MOV with a number, and of XBEGIN and XABORT.
func (x *x86) moveImm(in *Inst, rm Reg) bool {
	if x.reg&7 != 0 {
		if x.mod == 3 && x.rm&7 == 0 && x.reg&7 == 7 {
			if x.op == 0xc7 { // XBEGIN goes to its target if the transaction fails
				in.Op = Branch
			}
			in.Writes = set(rax)
			return true
		}
		return false
	}
	if rm == NoReg {
		return true
	}
	if x.op == 0xc6 {
		in.Writes = set(x.low(rm))
		return true
	}
	in.Writes = set(rm)
	if x.wide || !x.p66 {
		in.Op, in.Dst = Const, rm
		if !x.wide {
			in.Imm = int64(uint32(in.Imm))
		}
	}
	return true
}

// group5 is for opcode FF.
func (x *x86) group5(in *Inst, rm Reg, word int64) bool {
	inMem := rm == NoReg && !x.seg && !x.p67
	switch x.reg & 7 {
	case 0, 1: // INC, DEC
		in.Writes = set(rm)
	case 2:
		in.Op, in.Src = CallReg, rm
		if inMem {
			in.Op = CallMem
		}
	case 4:
		in.Op, in.Src = JumpReg, rm
		if inMem {
			in.Op = JumpMem
		}
	case 6:
		in.SP = -word
	default: // far calls and jumps
		return false
	}
	return true
}

// classify0F fills in what an instruction with an opcode after 0F does.
func (x *x86) classify0F(in *Inst) bool {
	if x.vex {
		in.Writes = x.writes()
		return true
	}
	switch op := x.op; {
	case op == 0x0b, op == 0xb9, op == 0xff: // UD2, UD1, UD0
		in.Op = Trap
	case op == 0x07, op == 0x35: // SYSRET, SYSEXIT
		in.Op = Return
	case op >= 0x80 && op < 0x90:
		in.Op = Branch
	case op >= 0x20 && op < 0x24 && x.mod != 3:
		return false // moves to and from control registers
	default:
		in.Writes = x.writes()
	}
	return true
}

// writes returns the general registers that an instruction of one of the tables
// after 0F may change. Those that work on vector registers change none.
func (x *x86) writes() RegSet {
	op, reg, rm := x.op, set(x.reg), set(x.target())
	switch x.table {
	case 1:
		return x.writes0F(op, reg, rm)
	case 2:
		switch {
		case !x.vex && (op == 0xf0 || op == 0xf1 || op == 0xf6): // MOVBE, CRC32, ADCX, ADOX
			return reg
		case x.vex && !x.evex && (op >= 0xf0 && op <= 0xf7 || op >= 0xe0 && op < 0xf0): // BMI, CMPccXADD
			return reg | set(x.vvvv)
		case op >= 0xf8: // MOVDIRI, ENQCMD, keys of AES
			return reg | rm
		}
	case 3:
		switch {
		case op >= 0x14 && op <= 0x17: // PEXTR
			return rm
		case op >= 0x60 && op <= 0x63: // PCMPxSTRx
			return set(rcx)
		case op == 0xf0 && x.vex && !x.evex: // RORX
			return reg
		}
	case 5:
		switch op {
		case 0x2c, 0x2d, 0x78, 0x79: // conversions
			return reg
		case 0x7e:
			return rm
		}
	}
	return 0
}

func (x *x86) writes0F(op byte, reg, rm RegSet) RegSet {
	switch {
	case op == 0x2c, op == 0x2d, op == 0x50, op == 0xc5, op == 0xd7, // conversions, MOVMSK, PEXTRW, PMOVMSKB
		x.evex && (op == 0x78 || op == 0x79), x.vex && !x.evex && op == 0x93: // KMOV
		return reg
	case op == 0x7e && x.rep != 0xf3: // MOVD, MOVQ
		return rm
	case x.vex, op >= 0x10 && op < 0x20, op >= 0x28 && op < 0x30, op >= 0x51 && op < 0x78, op >= 0x7c && op < 0x80,
		op == 0xc2, op == 0xc3, op == 0xc4, op == 0xc6, op >= 0xd0, op == 0x0d, op == 0x0f, op == 0x77, op == 0x0e:
		return 0 // vectors, hints
	case op == 0x05, op == 0x34: // SYSCALL
		return set(rax, rcx, r11, rdx)
	case op == 0x01, op < 0x10, op >= 0x30 && op < 0x40: // RDTSC, XGETBV and the like
		return set(rax, rcx, rdx) | rm
	case op == 0xa2: // CPUID
		return set(rax, rcx, rdx, rbx)
	case op >= 0x40 && op < 0x50, op == 0xaf, op == 0xb6, op == 0xb7, op == 0xbe, op == 0xbf, op == 0xbc, op == 0xbd, op == 0xb8,
		op == 0x02, op == 0x03, op == 0x78, op == 0xb2, op == 0xb4, op == 0xb5: // CMOV, IMUL, MOVZX, MOVSX, BSF, BSR, POPCNT
		return reg
	case op >= 0x90 && op < 0xa0: // SETcc
		if x.target() == NoReg {
			return 0
		}
		return set(x.low(x.rm))
	case op == 0xa0, op == 0xa8, op == 0xa1, op == 0xa9: // PUSH, POP of FS and GS
		return set(rsp)
	case op == 0xa3: // BT
		return 0
	case op == 0xba:
		if x.reg&7 == 4 {
			return 0
		}
		return rm
	case op == 0xb0: // CMPXCHG
		if x.target() == NoReg {
			return set(rax)
		}
		return set(x.low(x.rm), rax)
	case op == 0xb1:
		return rm | set(rax)
	case op == 0xc0: // XADD
		if x.target() == NoReg {
			return set(x.low(x.reg))
		}
		return set(x.low(x.reg), x.low(x.rm))
	case op == 0xc1:
		return reg | rm
	case op == 0xc7: // CMPXCHG16B, RDRAND
		return rm | set(rax, rdx)
	case op >= 0xc8 && op < 0xd0: // BSWAP
		return set(x.opReg())
	case op == 0xae && x.rep != 0xf3: // FXSAVE, MFENCE
		return 0
	}
	return reg | rm
}
