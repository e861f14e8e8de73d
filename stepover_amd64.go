//go:build linux && !race && !msan && !asan && go1.25 && !go1.28

package stackhop

// A prologue is the stack check at the entry of a function (cmd/internal/obj/x86,
// stacksplit, Go 1.25 to 1.27).
type prologue struct {
	body uintptr // the instruction behind the check
	need uintptr // how far below SP it looks
}

// prologueAt reads the check at entry. Not ok: it is none of the compiler's forms.
//
//	CMPQ SP, 16(R14)                                   JLS
//	LEAQ -need(SP), R12              CMPQ R12, 16(R14) JLS
//	MOVQ SP, R12  SUBQ $need, R12 JCS  CMPQ R12, 16(R14) JLS
func prologueAt(entry uintptr) (p prologue, ok bool) {
	pc := entry
	switch w := peek64(pc); {
	case w&0xffff_ffff == 0x10_66_3b_49:
		pc += 4
	case w&0xffff_ffff == 0x24_64_8d_4c: // LEAQ disp8
		p.need = -uintptr(int8(w >> 32))
		pc += 5
	case w&0xffff_ffff == 0x24_a4_8d_4c: // LEAQ disp32
		p.need = -uintptr(int32(w >> 32))
		pc += 8
	case w&0xff_ffff == 0xe4_89_49:
		pc += 3
		if w = peek64(pc); w&0xff_ffff != 0xec_81_49 {
			return p, false
		}
		p.need = uintptr(uint32(w >> 24))
		pc += 7
		if pc, ok = jumpBehind(pc, 0x72, 0x82); !ok {
			return p, false
		}
	default:
		return p, false
	}
	if pc != entry+4 {
		if peek32(pc) != 0x10_66_3b_4d {
			return p, false
		}
		pc += 4
	}
	p.body, ok = jumpBehind(pc, 0x76, 0x86)
	return p, ok
}

// jumpBehind returns what follows the conditional jump at pc, in its short or its
// long form.
func jumpBehind(pc uintptr, short, long byte) (uintptr, bool) {
	switch w := peek32(pc); {
	case byte(w) == short:
		return pc + 2, true
	case byte(w) == 0x0f && byte(w>>8) == long:
		return pc + 6, true
	}
	return 0, false
}

// registers is where copyTrap loads a function's arguments from, from its argument
// block: integers by number, then the lower halves of X0 to X15, 16 bytes apart.
const (
	registersInt   = 0
	registersFloat = 128
)

// reload does what a function does behind its call of morestack, from pc on: load
// its arguments from above sp, into registers; and then jump to its entry, which
// it answers. Not ok: there is anything else.
func reload(pc, sp, registers uintptr) (entry uintptr, ok bool) {
	const most = 40 // instructions
	for range most {
		prefix := byte(0)
		b := peek8(pc)
		if b == 0xf2 || b == 0xf3 || b == 0x66 {
			prefix = b
			pc++
			b = peek8(pc)
		}
		rex := byte(0)
		if b&0xf0 == 0x40 {
			rex = b
			pc++
			b = peek8(pc)
		}
		switch {
		case b == 0xe9:
			return pc + 5 + uintptr(int32(peek32(pc+1))), true
		case b == 0xeb:
			return pc + 2 + uintptr(int8(peek8(pc+1))), true
		case b == 0x90:
			pc++
			continue
		}
		op := uint16(b)
		if pc++; b == 0x0f {
			op = 0x0f00 | uint16(peek8(pc))
			pc++
		}
		modrm := peek8(pc)
		if op == 0x0f1f { // a longer NOP
			pc += nopLength(pc)
			continue
		}
		if modrm&7 != 4 || peek8(pc+1) != 0x24 { // SP is the base, there is no index
			return 0, false
		}
		pc += 2
		addr := sp
		switch modrm >> 6 {
		case 1:
			addr += uintptr(int8(peek8(pc)))
			pc++
		case 2:
			addr += uintptr(int32(peek32(pc)))
			pc += 4
		case 3:
			return 0, false
		}
		reg := uintptr(modrm>>3&7 | rex>>2&1<<3)
		v := peek64(addr)
		switch {
		case op == 0x8b && rex&8 != 0 && prefix == 0:
		case op == 0x8b && prefix == 0:
			v = v & 0xffff_ffff
		case op == 0x0fb6 && prefix == 0:
			v = v & 0xff
		case op == 0x0fb7 && prefix == 0:
			v = v & 0xffff
		case op == 0x0f10 && prefix == 0xf3:
			v = v & 0xffff_ffff
			fallthrough
		case op == 0x0f10 && prefix == 0xf2:
			poke64(registers+registersFloat+16*reg, v)
			continue
		default:
			return 0, false
		}
		poke64(registers+registersInt+8*reg, v)
	}
	return 0, false
}

// callerPC is where the function returns to that stands at its entry with sp.
func callerPC(_, sp uintptr) uintptr { return peek64(sp) }

// calls reports whether the instruction before ret is a direct call of entry.
func calls(ret, entry uintptr) bool {
	return peek8(ret-5) == 0xe8 && ret+uintptr(int32(peek32(ret-4))) == entry
}

// nopLength is how long the operand of a NOP is, from its ModRM byte on.
func nopLength(pc uintptr) uintptr {
	modrm, n := peek8(pc), uintptr(1)
	if modrm&7 == 4 {
		n++
	}
	return n + [...]uintptr{0, 1, 4, 0}[modrm>>6]
}

// variables is the upper end of the variables of a function with frame pointer
// fp.
func (s *site) variables(fp uintptr) (varp uintptr, ok bool) { return fp, s.sp <= fp && fp < s.top }
