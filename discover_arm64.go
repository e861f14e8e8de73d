//go:build linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28

package stackhop

import (
	"encoding/binary"
	"fmt"
)

// A word is one instruction. Those that matter here are few and plain, and
// golang.org/x/arch/arm64/arm64asm doesn't give their operands as numbers.
type word uint32

func (w word) is(mask, value word) bool { return w&mask == value }

func (w word) rd() word { return w & 31 }
func (w word) rn() word { return w >> 5 & 31 }

func (w word) isADRP() bool { return w.is(0x9f00_0000, 0x9000_0000) }
func (w word) isADD() bool  { return w.is(0xffc0_0000, 0x9100_0000) } // ADD $imm12, Xn, Xd
func (w word) isLDRB() bool { return w.is(0xffc0_0000, 0x3940_0000) } // LDRB imm12(Xn), Wt
func (w word) isLDR() bool  { return w.is(0xffc0_0000, 0xf940_0000) } // LDR imm12*8(Xn), Xt
func (w word) isB() bool    { return w.is(0xfc00_0000, 0x1400_0000) }
func (w word) isBL() bool   { return w.is(0xfc00_0000, 0x9400_0000) }
func (w word) isCB() bool   { return w.is(0x7e00_0000, 0x3400_0000) } // CBZ, CBNZ
func (w word) isTB0() bool  { return w.is(0xfef8_0000, 0x3600_0000) } // TBZ, TBNZ of bit 0
func (w word) ifSet() bool  { return w.is(0x0100_0000, 0x0100_0000) } // CBNZ, TBNZ
func (w word) imm12() uintptr {
	return uintptr(w >> 10 & 0xfff)
}

// isAtomic: LDXR and LDAXR, CAS, SWP and LDADD with their like, of any size.
func (w word) isAtomic() bool {
	return w.is(0x3fe0_0000, 0x0840_0000) || w.is(0x3fa0_7c00, 0x08a0_7c00) || w.is(0x3f20_0c00, 0x3820_0000)
}

// endsPath: any other branch, conditional or not.
func (w word) endsPath() bool {
	return w.isCB() || w.is(0x7e00_0000, 0x3600_0000) || w.is(0xff00_0010, 0x5400_0000) || w.is(0xfe00_0000, 0xd600_0000)
}

// signed returns the n bits of w from low on, as a count of instructions.
func (w word) signed(low, n int) uintptr {
	return uintptr(int32(w)<<(32-low-n)>>(32-n)) * 4
}

// page returns what an ADRP at pc gives.
func (w word) page(pc uintptr) uintptr {
	imm := int32(w)<<8>>13<<2 | int32(w>>29&3)
	return pc&^0xfff + uintptr(imm)<<12
}

// callBefore returns the target of the call instruction that returns to pc. Not
// ok: there is no direct call.
func callBefore(pc uintptr) (target uintptr, ok bool) {
	w := word(peek32(pc - 4))
	return throughTable(pc - 4 + w.signed(0, 26)), w.isBL()
}

// throughTable returns where a call of pc goes: code that is linked with a shared
// library calls by a jump through a table; the linker has filled its entries.
func throughTable(pc uintptr) uintptr {
	const (
		bti = 0xd503_245f
		x16 = 16
	)
	at := pc
	if peek32(at) == bti {
		at += 4
	}
	page, load := word(peek32(at)), word(peek32(at+4))
	if !page.isADRP() || page.rd() != x16 || !load.isLDR() || load.rn() != x16 || load.rd() != x16+1 {
		return pc
	}
	return peek64(page.page(at) + 8*load.imm12())
}

// call returns where the call instruction w at pc goes.
func (w word) call(pc uintptr) uintptr { return throughTable(pc + w.signed(0, 26)) }

// at returns the instruction at pc, 0 (which is none) outside c.
func (c code) at(pc uintptr) word {
	if off := pc - c.pc; off+4 <= uintptr(len(c.text)) && off+4 > off {
		return word(binary.LittleEndian.Uint32(c.text[off:]))
	}
	return 0
}

// address returns what register rn holds just before pc, if ADRP or ADRP and
// ADD right there have set it; or, in a plugin, ADRP and a load from a table.
func (c code) address(rn word, pc uintptr) (addr uintptr, ok bool) {
	w := c.at(pc - 4)
	if page := c.at(pc - 8); w.isLDR() && w.rd() == rn && page.isADRP() && page.rd() == w.rn() {
		return peek64(page.page(pc-8) + 8*w.imm12()), true
	}
	if w.isADD() && w.rd() == rn && w.rn() == rn {
		addr = w.imm12()
		pc -= 4
		w = c.at(pc - 4)
	}
	return w.page(pc-4) + addr, w.isADRP() && w.rd() == rn
}

// globals returns the addresses of global data that c uses: those that it computes,
// and, for code that is part of a shared library, those that it loads.
func (c code) globals() (list []uintptr, err error) {
	for pc := c.pc; c.at(pc) != 0; pc += 4 {
		w, next := c.at(pc), c.at(pc+4)
		switch {
		case !w.isADRP() || next.rn() != w.rd():
		case next.isADD():
			list = append(list, w.page(pc)+next.imm12())
		case next.isLDR():
			list = append(list, peek64(w.page(pc)+8*next.imm12()))
		}
	}
	return list, nil
}

// mcallArg returns the address of the function value that c gives to
// runtime.mcall, ADRP and ADD into R0 and then the call, and that of mcall.
func (c code) mcallArg() (value, mcall uintptr, err error) {
	for pc := c.pc; c.at(pc) != 0; pc += 4 {
		w := c.at(pc)
		if !w.isBL() && !w.isB() || c.name(w.call(pc)) != "runtime.mcall" {
			continue
		}
		if addr, ok := c.address(0, pc); ok {
			return addr, w.call(pc), nil
		}
		return 0, 0, &discoveryError{"call of mcall in " + c.name(c.pc), "ADRP and ADD into R0 before it",
			fmt.Sprintf("%08x %08x", c.at(pc-8), c.at(pc-4))}
	}
	return 0, 0, &discoveryError{"machine code of " + c.name(c.pc), "a call of runtime.mcall", "none"}
}

// findSaveG finds the function that tells C's thread-local storage of a new g,
// as the target of a call in mcall.
func (f *facts) findSaveG(mcall uintptr) error {
	const saveG = "runtime.save_g"
	c := machineCode(mcall)
	for pc := c.pc; c.at(pc) != 0; pc += 4 {
		to := uintptr(0)
		if c.at(pc).isBL() {
			to = c.at(pc).call(pc)
		}
		if to != 0 && c.name(to) == saveG {
			f.saveG = to
			f.add(saveG, to, "target of a call in mcall")
			return nil
		}
	}
	return &discoveryError{"machine code of " + c.name(c.pc), "a call of " + saveG, "none"}
}

// globalBytes adds the addresses of the global bytes that c uses to set.
func (c code) globalBytes(set map[uintptr]bool) {
	for pc := c.pc; c.at(pc) != 0; pc += 4 {
		w := c.at(pc)
		if base, ok := c.address(w.rn(), pc); ok && w.isLDRB() {
			set[base+w.imm12()] = true
		}
	}
}

// flags returns the global bytes that c tests: ADRP, perhaps ADD, LDRB, and a
// branch on its bit 0 or on all of it. The byte that says whether the CPU has
// LSE atomics is left out; it is known by an atomic instruction behind it. Those at
// except are left out as well.
func (c code) flags(except map[uintptr]bool) ([]flag, error) {
	var flags []flag
	for pc := c.pc; c.at(pc) != 0; pc += 4 {
		w := c.at(pc)
		base, ok := c.address(w.rn(), pc)
		if !w.isLDRB() || !ok || except[base+w.imm12()] {
			continue
		}
		jump := c.at(pc + 4)
		var to uintptr
		switch {
		case jump.isTB0() && jump.rd() == w.rd():
			to = pc + 4 + jump.signed(5, 14)
		case jump.isCB() && jump.rd() == w.rd():
			to = pc + 4 + jump.signed(5, 19)
		default:
			return nil, &discoveryError{"global byte in " + c.name(c.pc), "LDRB and TBZ, TBNZ, CBZ or CBNZ",
				fmt.Sprintf("%08x %08x at +%#x", w, jump, pc-c.pc)}
		}
		set, clear := pc+8, to
		if jump.ifSet() {
			set, clear = clear, set
		}
		calls, atomic := c.follow(set)
		if _, other := c.follow(clear); atomic || other {
			continue
		}
		flags = append(flags, flag{base + w.imm12(), calls})
	}
	return flags, nil
}

// follow runs from pc to the first call, and returns the name of what is called
// ("" if that depends), or that an atomic instruction comes before.
func (c code) follow(pc uintptr) (calls string, atomic bool) {
	const limit = 16
	for range limit {
		w := c.at(pc)
		switch {
		case w == 0, w.endsPath():
			return "", false
		case w.isAtomic():
			return "", true
		case w.isBL():
			return c.name(w.call(pc)), false
		case w.isB():
			pc += w.signed(0, 26)
		default:
			pc += 4
		}
	}
	return "", false
}

// calls returns the direct calls of c, and its jumps to other functions.
func (c code) calls() (calls []call, err error) {
	for pc := c.pc; c.at(pc) != 0; pc += 4 {
		w := c.at(pc)
		if w.isBL() || w.isB() && pc+w.signed(0, 26)-c.pc >= uintptr(len(c.text)) {
			calls = append(calls, call{w.call(pc), pc + 4})
		}
	}
	return calls, nil
}

// resultSlots returns where in its frame c keeps the two results, in R0 and R1,
// of the call that returns to ret: the first stores of each behind it.
func (c code) resultSlots(ret uintptr) (first, second uintptr, err error) {
	const sp = 31
	var slots [32]uintptr
	keep := func(reg word, off uintptr) {
		if slots[reg] == 0 {
			slots[reg] = off
		}
	}
	for pc := ret; c.at(pc) != 0 && !c.at(pc).isBL(); pc += 4 {
		switch w := c.at(pc); {
		case w.rn() != sp:
		case w.is(0xffc0_0000, 0xf900_0000): // STR Xt, [SP, #imm12*8]
			keep(w.rd(), 8*w.imm12())
		case w.is(0xffc0_0000, 0xa900_0000): // STP Xt, Xt2, [SP, #imm7*8]
			off := 8 * (uintptr(w) >> 15 & 0x7f)
			keep(w.rd(), off)
			keep(w>>10&31, off+8)
		}
	}
	if slots[0] == 0 || slots[1] == 0 || slots[0] == slots[1] {
		return 0, 0, &discoveryError{"machine code of " + c.name(c.pc), "stores of R0 and R1 behind a call",
			fmt.Sprint(slots[:2])}
	}
	return slots[0], slots[1], nil
}

// stackSlots returns where in its frame c has the two words, one behind the other, that
// it stores at the begin of a g, g.stack, behind ret. A store of g.stackguard0 comes
// next: nothing else in the runtime looks so.
func (c code) stackSlots(ret uintptr) (first, second uintptr, err error) {
	const sp = 31
	var from [32]uintptr // the slot that a register was loaded from
	var base word
	store := func(reg, to word, off uintptr) (done bool) {
		switch {
		case off == gStackLo && from[reg] != 0:
			base, first, second = to, from[reg], 0
		case off == gStackHi && from[reg] != 0 && to == base:
			second = from[reg]
		}
		return off == gStackguard0 && to == base && first != 0 && second != 0 && first != second
	}
	for pc := ret; c.at(pc) != 0; pc += 4 {
		w := c.at(pc)
		off, pair := 8*w.imm12(), 8*(uintptr(w)>>15&0x7f)
		switch {
		case w.isBL():
			from = [32]uintptr{}
		case w.isLDR():
			from[w.rd()] = 0
			if w.rn() == sp {
				from[w.rd()] = off
			}
		case w.is(0xffc0_0000, 0xa940_0000): // LDP Xt, Xt2, [Xn, #imm7*8]
			from[w.rd()], from[w>>10&31] = 0, 0
			if w.rn() == sp {
				from[w.rd()], from[w>>10&31] = pair, pair+8
			}
		case w.is(0xffc0_0000, 0xf900_0000) && w.rn() != sp: // STR
			if store(w.rd(), w.rn(), off) {
				return first, second, nil
			}
		case w.is(0xffc0_0000, 0xa900_0000) && w.rn() != sp: // STP
			if store(w.rd(), w.rn(), pair) || store(w>>10&31, w.rn(), pair+8) {
				return first, second, nil
			}
		case w.is(0x0e00_0000, 0x0a00_0000), w.is(0x1c00_0000, 0x1000_0000): // data processing
			from[w.rd()] = 0
		}
	}
	return 0, 0, &discoveryError{"machine code of " + c.name(c.pc), "stores of g.stack and g.stackguard0 behind a call of memmove", "none"}
}
