package code

import "math/bits"

const (
	lr Reg = 30
	sp Reg = 31 // in some operands the register that is always zero
)

// decodeARM64 decodes a word. Classes are those of the Arm Architecture
// Reference Manual, by bits 28 to 25.
func decodeARM64(b []byte, pc uint64) (Inst, bool) {
	if len(b) < 4 {
		return Inst{}, false
	}
	w := le.Uint32(b)
	in := Inst{Len: 4, Dst: NoReg, Src: NoReg, Src2: NoReg, Mem: Mem{Base: NoReg, Index: NoReg}}
	switch c := w >> 25 & 15; {
	case w>>16 == 0: // UDF
		in.Op = Trap
	case c>>1 == 4:
		in.immediate(w, pc)
	case c>>1 == 5:
		in.control(w, pc)
	case c&5 == 4:
		in.memory(w, pc)
	case c&7 == 5:
		in.register(w)
	case c&7 == 7: // vectors, and moves to general registers
		in.writes(w)
	default: // reserved, and SVE
		in.writes(w)
	}
	return in, true
}

// dst, src and so on return the register with its number in certain bits.
func dst(w uint32) Reg  { return Reg(w & 31) }
func src(w uint32) Reg  { return Reg(w >> 5 & 31) }
func src2(w uint32) Reg { return Reg(w >> 16 & 31) }
func pair(w uint32) Reg { return Reg(w >> 10 & 31) }

// writes notes that the instruction writes its destination, which is not SP.
func (in *Inst) writes(w uint32) {
	if r := dst(w); r != sp {
		in.Writes |= set(r)
	}
}

// signed returns the low n bits of w as a signed number.
func signed(w uint32, n int) int64 { return int64(w) << (64 - n) >> (64 - n) }

// control decodes branches, exceptions and system instructions.
func (in *Inst) control(w uint32, pc uint64) {
	target := func(imm int64) { in.Target = pc + uint64(4*imm) }
	switch {
	case w&0x7c000000 == 0x14000000: // B, BL
		in.Op = Jump
		if w>>31 != 0 {
			in.Op, in.Writes = Call, set(lr)
		}
		target(signed(w, 26))
	case w&0xff000000 == 0x54000000, w&0x7e000000 == 0x34000000: // B.cond, CBZ, CBNZ
		in.Op = Branch
		target(signed(w>>5, 19))
	case w&0x7e000000 == 0x36000000: // TBZ, TBNZ
		in.Op = Branch
		target(signed(w>>5, 14))
	case w&0xfe000000 == 0xd6000000: // BR, BLR, RET and those with authentication
		switch w >> 21 & 7 {
		case 0:
			in.Op, in.Src = JumpReg, src(w)
		case 1:
			in.Op, in.Src, in.Writes = CallReg, src(w), set(lr)
		default:
			in.Op = Return
		}
	case w&0xff000000 == 0xd4000000: // SVC, BRK and the like
		switch w & 0x00e0001f {
		case 0x200000: // BRK
			in.Op = Break
		case 1: // SVC
			in.Writes = set(0)
		case 2, 3: // HVC, SMC
			in.Writes = 1<<18 - 1
		default:
			in.Op = Trap
		}
	case w&0xffc00000 == 0xd5000000: // system: MRS and SYSL have L set
		if w&0x00200000 != 0 {
			in.writes(w)
		}
	default:
		in.writes(w)
	}
}

// immediate decodes operations with a number.
func (in *Inst) immediate(w uint32, pc uint64) {
	wide := w>>31 != 0
	switch w >> 23 & 7 {
	case 0, 1: // ADR, ADRP
		imm := signed(w>>5, 19)<<2 | int64(w>>29&3)
		in.Op, in.Dst, in.Imm, in.Relative = Const, dst(w), int64(pc)+imm, true
		if wide {
			in.Imm = int64(pc&^0xfff) + imm<<12
		}
		in.writes(w)
	case 2: // ADD, SUB
		imm := int64(w >> 10 & 0xfff)
		if w&0x400000 != 0 {
			imm <<= 12
		}
		if w&0x40000000 != 0 {
			imm = -imm
		}
		if w&0x20000000 != 0 { // sets flags: 31 is the zero register
			in.writes(w)
			if wide && dst(w) != sp {
				in.add(dst(w), src(w), imm)
			}
			break
		}
		in.Writes = set(dst(w))
		if wide {
			in.add(dst(w), src(w), imm)
		}
	case 4: // AND, ORR, EOR, ANDS
		in.Writes = set(dst(w))
		if w&0x60000000 == 0x60000000 {
			in.Writes &^= set(sp)
		}
		if w&0x60000000 == 0x20000000 && src(w) == sp { // MOV
			if imm, ok := bitmask(w); ok {
				in.Op, in.Dst, in.Imm = Const, dst(w), int64(imm)
			}
		}
	case 5: // MOVN, MOVZ, MOVK
		in.writes(w)
		shift := uint8(w >> 21 & 3 * 16)
		imm := uint64(w>>5&0xffff) << shift
		in.Dst = dst(w)
		switch w >> 29 & 3 {
		case 0:
			if imm = ^imm; !wide {
				imm = uint64(uint32(imm))
			}
			in.Op, in.Imm = Const, int64(imm)
		case 2:
			in.Op, in.Imm = Const, int64(imm)
		case 3:
			if wide {
				in.Op, in.Imm, in.Shift = Insert, int64(w>>5&0xffff), shift
			}
		}
		if in.Dst == sp {
			in.Op = Other
		}
	default:
		in.writes(w)
	}
}

// add makes the instruction an addition of a number.
func (in *Inst) add(dst, src Reg, imm int64) {
	in.Op, in.Dst, in.Src, in.Imm = Add, dst, src, imm
	if imm == 0 {
		in.Op = Move
	}
	if dst == sp && src == sp {
		in.SP, in.Writes = imm, in.Writes&^set(sp)
	}
}

// bitmask returns the number in a logical operation with a number.
func bitmask(w uint32) (uint64, bool) {
	n, r, s := w>>22&1, w>>16&63, w>>10&63
	length := bits.Len32(n<<6|^s&63) - 1
	if length < 1 || w>>31 == 0 && n != 0 {
		return 0, false
	}
	size := 1 << length
	levels := uint32(size - 1)
	ones := s&levels + 1
	if ones == uint32(size) {
		return 0, false
	}
	rot := int(r & levels)
	elem := uint64(1)<<ones - 1
	elem = elem>>rot | elem<<(size-rot)
	if size < 64 {
		elem &= 1<<size - 1
	}
	v := elem
	for i := size; i < 64; i *= 2 {
		v |= v << i
	}
	if w>>31 == 0 {
		v = uint64(uint32(v))
	}
	return v, true
}

// register decodes operations on registers.
func (in *Inst) register(w uint32) {
	in.writes(w)
	wide := w>>31 != 0
	switch {
	case w&0xffe0ffe0 == 0xaa0003e0 && dst(w) != sp: // MOV
		in.Op, in.Dst, in.Src = Move, dst(w), src2(w)
		if in.Src == sp { // zero
			in.Op, in.Src = Const, NoReg
		}
	case w&0x3fe00000 == 0x0b200000: // ADD, SUB with an extended register: SP is allowed
		in.Writes = set(dst(w))
		if wide && w>>13&7 == 3 && w>>10&7 == 0 && src2(w) != sp {
			in.sum(w)
		}
	case w&0xbfe0fc00 == 0x8b000000 && src(w) != sp && src2(w) != sp && dst(w) != sp: // ADD, SUB
		in.sum(w)
	case w&0x3fe00000 == 0x3a400000: // CCMN, CCMP: the low bits are flags
		in.Writes = 0
	case w&0x3f200000 == 0x3a000000 && w>>10&63 != 0: // RMIF, SETF
		in.Writes = 0
	}
}

// sum makes the instruction an addition or subtraction of two registers.
func (in *Inst) sum(w uint32) {
	in.Op, in.Dst, in.Src, in.Src2 = Sum, dst(w), src(w), src2(w)
	if w>>30&1 != 0 {
		in.Op = Sub
	}
}

// memory decodes loads and stores.
func (in *Inst) memory(w uint32, pc uint64) {
	vector := w>>26&1 != 0
	size := w >> 30
	base := src(w)
	update := func(imm int64) { // before or after the access
		in.Writes |= set(base)
		if base == sp {
			in.SP, in.Writes = imm, in.Writes&^set(sp)
		}
	}
	switch w >> 28 & 3 {
	case 0:
		if vector { // LD1 to ST4 and the like
			if w&0x00800000 != 0 {
				// Go addresses none of them by SP, so an unknown amount will do.
				in.Writes |= set(base)
			}
			return
		}
		// Exclusive, acquire and release, compare and swap.
		in.writes(w)
		for _, r := range []Reg{pair(w), src2(w), src2(w) + 1} {
			if r < sp {
				in.Writes |= set(r)
			}
		}
	case 1: // relative to the instruction; and memory tags
		if w>>24&1 == 0 {
			if !vector && size != 3 { // 3 is PRFM
				in.writes(w)
			}
			if !vector && size == 1 && dst(w) != sp {
				in.Op, in.Dst, in.Mem.Disp = Load, dst(w), int64(pc)+4*signed(w>>5, 19)
			}
			return
		}
		in.writes(w)
		if w>>10&3 != 2 && w>>21&1 == 1 || w>>21&1 == 0 {
			in.Writes |= set(base) &^ set(sp)
		}
		if base == sp && w>>10&3 != 2 {
			in.SPWrite = w>>21&1 == 1 && w>>10&1 == 1 // STG with an update
		}
	case 2: // pairs
		if w>>22&1 != 0 && !vector {
			in.writes(w)
			if r := pair(w); r != sp {
				in.Writes |= set(r)
			}
		}
		scale := 2 + int(size>>1)
		if vector {
			scale = 2 + int(size)
		}
		if w>>23&1 != 0 { // with bit 24 before the access, else after
			update(signed(w>>15, 7) << scale)
		}
	case 3:
		in.single(w, update)
	}
}

// single decodes loads and stores of one register.
func (in *Inst) single(w uint32, update func(int64)) {
	vector := w>>26&1 != 0
	size, opc := w>>30, w>>22&3
	load := opc != 0 && !vector && !(size == 3 && opc == 2) // 3, 2 is PRFM
	word := load && size == 3 && opc == 1 && dst(w) != sp
	m := Mem{Base: src(w), Index: NoReg}
	switch {
	case w>>24&1 != 0: // an unsigned offset
		m.Disp = int64(w>>10&0xfff) << size
	case w>>21&1 == 0: // a signed offset
		m.Disp = signed(w>>12, 9)
		switch w >> 10 & 3 {
		case 1: // after
			update(m.Disp)
			m.Disp = 0
		case 3: // before: the operand is relative to the old base
			update(m.Disp)
		}
	case w>>10&3 == 2: // a register as offset
		m.Index, m.Scale = src2(w), 1
		if w>>12&1 != 0 {
			m.Scale = 1 << size
		}
		if w>>13&7 != 3 {
			word = false // half a register
		}
	case w>>10&3 == 0: // atomic operations
		if !vector {
			in.writes(w)
		}
		if src2(w) != sp {
			in.Writes |= set(src2(w)) // LD64B and ST64BV
		}
		return
	default: // authenticated: bit 11 updates the base
		in.writes(w)
		in.Writes |= set(m.Base)
		return
	}
	if load {
		in.writes(w)
	}
	if word {
		in.Op, in.Dst, in.Mem = Load, dst(w), m
	}
}
