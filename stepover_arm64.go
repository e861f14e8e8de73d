//go:build linux && !race && !msan && !asan && go1.25 && !go1.28

package stackhop

// A prologue is the stack check at the entry of a function (cmd/internal/obj/arm64,
// stacksplit, Go 1.25 to 1.27).
type prologue struct {
	body uintptr // the instruction behind the check
	need uintptr // how far below SP it looks
}

// prologueAt reads the check at entry. Not ok: it is none of these forms.
//
//	MOVD 16(g), R16                                   CMP R16, RSP  BLS
//	MOVD 16(g), R16   SUB $need, RSP, R17             CMP R16, R17  BLS
//	MOVD 16(g), R16   SUBS $need, RSP, R17   BLO      CMP R16, R17  BLS
//	MOVD 16(g), R16   MOVD $need, R27   SUBS R27, RSP, R17   BLO   CMP R16, R17  BLS
func prologueAt(entry uintptr) (p prologue, ok bool) {
	const (
		load   = 0xf940_0b90
		cmpRSP = 0xeb30_63ff
		cmpR17 = 0xeb10_023f
	)
	pc := entry
	if peek32(pc) != load {
		return p, false
	}
	pc += 4
	cmp := uint32(cmpRSP)
	wide := false
	for w := word(peek32(pc)); w.is(0xff80_001f, 0xd280_001b) || w.is(0xff80_001f, 0xf280_001b); w = word(peek32(pc)) {
		p.need |= uintptr(w>>5&0xffff) << (16 * (w >> 21 & 3)) // MOVZ, MOVK
		wide = true
		pc += 4
	}
	if wide {
		if peek32(pc) != 0xeb3b_63f1 || !word(peek32(pc+4)).is(0xff00_001f, 0x5400_0003) { // SUBS R27, RSP, R17; BLO
			return p, false
		}
		pc += 8
		cmp = cmpR17
	} else if w := word(peek32(pc)); w.is(0xdf80_03ff, 0xd100_03f1) {
		p.need = w.imm12()
		if w&(1<<22) != 0 {
			p.need <<= 12
		}
		pc += 4
		if w&(1<<29) != 0 {
			if !word(peek32(pc)).is(0xff00_001f, 0x5400_0003) { // BLO
				return p, false
			}
			pc += 4
		}
		cmp = cmpR17
	}
	p.body = pc + 8
	return p, peek32(pc) == cmp && word(peek32(pc+4)).is(0xff00_001f, 0x5400_0009) // BLS
}

// registers is where copyTrap loads a function's arguments from: integers, then
// floats, by number.
const (
	registersInt   = 0
	registersFloat = 256
)

// reload does what a function does behind its call of morestack, from pc on: load
// its arguments from above sp, into registers; and then jump to its entry, which
// it answers. Not ok: there is anything else.
func reload(pc, sp, registers uintptr) (entry uintptr, ok bool) {
	const (
		most = 40 // instructions
		rsp  = 31
	)
	for range most {
		w := word(peek32(pc))
		if w.isB() {
			return pc + w.signed(0, 26), true
		}
		pc += 4
		if w.rn() != rsp {
			return 0, false
		}
		to := registers + registersInt
		if w&(1<<26) != 0 {
			to += registersFloat
		}
		to += 8 * uintptr(w.rd())
		switch w &^ (1 << 26) & 0xffc0_0000 {
		case 0xa940_0000, 0x6940_0000: // LDP Xt, Xt2; LDP Dt, Dt2
			if w.is(1<<31|1<<26, 0) { // LDPSW
				return 0, false
			}
			off := uintptr(int32(w)<<10>>25) * 8
			poke64(to, peek64(sp+off))
			poke64(to-8*uintptr(w.rd())+8*uintptr(w>>10&31), peek64(sp+off+8))
		case 0xf940_0000: // LDR Xt, Dt
			poke64(to, peek64(sp+8*w.imm12()))
		case 0xb940_0000: // LDR Wt, St
			poke64(to, uintptr(peek32(sp+4*w.imm12())))
		case 0xb980_0000: // LDRSW
			poke64(to, uintptr(int32(peek32(sp+4*w.imm12()))))
		case 0x7940_0000: // LDRH
			poke64(to, uintptr(uint16(peek32(sp+2*w.imm12()))))
		case 0x7980_0000: // LDRSH
			poke64(to, uintptr(int16(peek32(sp+2*w.imm12()))))
		case 0x3940_0000: // LDRB
			poke64(to, uintptr(peek8(sp+w.imm12())))
		case 0x3980_0000: // LDRSB
			poke64(to, uintptr(int8(peek8(sp+w.imm12()))))
		default:
			return 0, false
		}
	}
	return 0, false
}

// callerPC is where the function returns to at whose entry g stands.
func callerPC(g, _ uintptr) uintptr { return peek64(g + gSchedLR) }

// calls reports whether the instruction before ret is a direct call of entry.
func calls(ret, entry uintptr) bool {
	w := word(peek32(ret - 4))
	return w.isBL() && ret-4+w.signed(0, 26) == entry
}

// variables is the upper end of the variables of a function with frame pointer
// fp: where its caller's is, at which the word for that is kept.
func (s *site) variables(fp uintptr) (varp uintptr, ok bool) {
	if fp < s.sp-8 || fp >= s.top {
		return 0, false
	}
	varp = peek64(fp)
	return varp, fp < varp && varp < s.top
}
