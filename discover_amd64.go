//go:build linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28

package stackhop

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/arch/x86/x86asm"
)

// callBefore returns the target of the call instruction that returns to pc. Not
// ok: there is no direct call.
func callBefore(pc uintptr) (target uintptr, ok bool) {
	const size = 5 // E8 rel32
	text := peekText(pc-size, size)
	if text[0] != 0xe8 {
		return 0, false
	}
	return throughTable(pc + uintptr(int32(binary.LittleEndian.Uint32(text[1:])))), true
}

// throughTable returns where a call of pc goes: code that is linked with a shared
// library calls by a jump through a table; the linker has filled its entries.
func throughTable(pc uintptr) uintptr {
	text, at := peekText(pc, 11), 0
	if binary.LittleEndian.Uint32(text) == 0xfa1e0ff3 { // ENDBR64
		at = 4
	}
	if text[at] == 0xf2 { // BND
		at++
	}
	if text[at] != 0xff || text[at+1] != 0x25 { // JMP disp32(RIP)
		return pc
	}
	return peek64(pc + uintptr(at) + 6 + uintptr(int32(peek32(pc+uintptr(at)+2))))
}

// findSaveG has nothing to find: assembly writes thread-local storage itself.
func (f *facts) findSaveG(uintptr) error { return nil }

// An inst is one instruction and its place. In a plugin a global is reached through
// R15, which the instruction before loads from a table: then r15 is what it has loaded.
type inst struct {
	x86asm.Inst
	pc, r15 uintptr
}

// decode splits c into instructions. at has the index of each, by pc.
func (c code) decode() (list []inst, at map[uintptr]int, err error) {
	at = map[uintptr]int{}
	for off := 0; off < len(c.text); {
		pc := c.pc + uintptr(off)
		in, err := x86asm.Decode(c.text[off:], 64)
		if err != nil {
			return nil, nil, &discoveryError{"machine code of " + c.name(c.pc), "a known instruction",
				fmt.Sprintf("% x at +%#x", c.text[off:min(off+15, len(c.text))], off)}
		}
		at[pc] = len(list)
		next := inst{Inst: in, pc: pc}
		if len(list) != 0 {
			if load := list[len(list)-1]; load.Op == x86asm.MOV && load.Args[0] == x86asm.R15 {
				if slot, ok := load.global(1); ok {
					next.r15 = peek64(slot)
				}
			}
		}
		list = append(list, next)
		off += in.Len
	}
	return list, at, nil
}

// target returns where a direct jump or call goes.
func (in inst) target() (pc uintptr, ok bool) {
	rel, ok := in.Args[0].(x86asm.Rel)
	pc = in.pc + uintptr(in.Len) + uintptr(rel)
	if ok && in.Op == x86asm.CALL {
		pc = throughTable(pc)
	}
	return pc, ok
}

// global returns the address of an operand that is relative to RIP or, in a plugin, to
// an R15 that was loaded for a global.
func (in inst) global(arg int) (addr uintptr, ok bool) {
	m, ok := in.Args[arg].(x86asm.Mem)
	switch {
	case !ok || m.Index != 0 || m.Segment != 0:
	case m.Base == x86asm.RIP:
		return in.pc + uintptr(in.Len) + uintptr(m.Disp), true
	case m.Base == x86asm.R15 && in.r15 != 0:
		return in.r15 + uintptr(m.Disp), true
	}
	return 0, false
}

// globals returns the addresses of global data that c uses: those that it computes,
// and, for code that is part of a shared library, those that it loads.
func (c code) globals() (list []uintptr, err error) {
	insts, _, err := c.decode()
	if err != nil {
		return nil, err
	}
	for _, in := range insts {
		addr, ok := in.global(1)
		switch {
		case ok && in.Op == x86asm.LEA:
			list = append(list, addr)
		case ok && in.Op == x86asm.MOV && in.MemBytes == 8:
			list = append(list, peek64(addr))
		}
	}
	return list, nil
}

// mcallArg returns the address of the function value that c gives to
// runtime.mcall, LEAQ value(RIP), AX or a load and then the call, and that of mcall.
func (c code) mcallArg() (value, mcall uintptr, err error) {
	list, _, err := c.decode()
	if err != nil {
		return 0, 0, err
	}
	for i, in := range list {
		if in.Op != x86asm.CALL && in.Op != x86asm.JMP {
			continue
		}
		pc, ok := in.target()
		if !ok || c.name(pc) != "runtime.mcall" || i == 0 {
			continue
		}
		if set := list[i-1]; set.Args[0] == x86asm.RAX {
			addr, ok := set.global(1)
			switch {
			case ok && set.Op == x86asm.LEA:
				return addr, pc, nil
			case ok && set.Op == x86asm.MOV: // in a plugin
				return peek64(addr), pc, nil
			}
		}
		return 0, 0, &discoveryError{"call of mcall in " + c.name(c.pc), "a global in RAX before it", list[i-1].String()}
	}
	return 0, 0, &discoveryError{"machine code of " + c.name(c.pc), "a call of runtime.mcall", "none"}
}

// globalBytes adds the addresses of the global bytes that c uses to set.
func (c code) globalBytes(set map[uintptr]bool) {
	list, _, err := c.decode()
	if err != nil {
		return
	}
	for _, in := range list {
		for arg := range 2 {
			if addr, ok := in.global(arg); ok && in.MemBytes == 1 {
				set[addr] = true
			}
		}
	}
}

// flags returns the global bytes that c tests, CMPB $0 and a conditional jump, but
// those at except.
func (c code) flags(except map[uintptr]bool) ([]flag, error) {
	list, at, err := c.decode()
	if err != nil {
		return nil, err
	}
	var flags []flag
	for i, in := range list {
		addr, ok := in.global(0)
		if !ok {
			addr, ok = in.global(1)
		}
		if !ok || in.MemBytes != 1 || except[addr] {
			continue
		}
		set, ok := ifSet(list, i, at)
		if !ok {
			return nil, &discoveryError{"global byte in " + c.name(c.pc), "CMPB $0 and JE or JNE",
				fmt.Sprintf("%v at +%#x", in, in.pc-c.pc)}
		}
		flags = append(flags, flag{addr, c.firstCall(list, set, at)})
	}
	return flags, nil
}

// ifSet returns the index of the instruction that runs next when the byte that
// list[i] compares with 0 is not 0.
func ifSet(list []inst, i int, at map[uintptr]int) (int, bool) {
	if in := list[i]; in.Op != x86asm.CMP || in.Args[1] != x86asm.Imm(0) || i+2 >= len(list) {
		return 0, false
	}
	jump := list[i+1]
	switch jump.Op {
	case x86asm.JE:
		return i + 2, true
	case x86asm.JNE:
		pc, _ := jump.target()
		to, ok := at[pc]
		return to, ok
	}
	return 0, false
}

// firstCall returns the name of the function that is called first from list[i]
// on, "" if that depends.
func (c code) firstCall(list []inst, i int, at map[uintptr]int) string {
	const limit = 16
	for range limit {
		if i >= len(list) {
			return ""
		}
		switch in := list[i]; in.Op {
		case x86asm.CALL:
			pc, ok := in.target()
			if !ok {
				return ""
			}
			return c.name(pc)
		case x86asm.JMP:
			pc, _ := in.target()
			to, ok := at[pc]
			if !ok {
				return ""
			}
			i = to
		default:
			if _, branch := in.target(); branch || in.Op == x86asm.RET {
				return ""
			}
			i++
		}
	}
	return ""
}

// calls returns the direct calls of c, and its jumps to other functions.
func (c code) calls() (calls []call, err error) {
	list, at, err := c.decode()
	if err != nil {
		return nil, err
	}
	for _, in := range list {
		pc, ok := in.target()
		if !ok {
			continue
		}
		if _, inside := at[pc]; in.Op == x86asm.CALL || in.Op == x86asm.JMP && !inside {
			calls = append(calls, call{pc, in.pc + uintptr(in.Len)})
		}
	}
	return calls, nil
}

// resultSlots returns where in its frame c keeps the two results, in RAX and
// RBX, of the call that returns to ret: the first stores of each behind it.
func (c code) resultSlots(ret uintptr) (first, second uintptr, err error) {
	list, at, err := c.decode()
	if err != nil {
		return 0, 0, err
	}
	slots := map[x86asm.Reg]uintptr{}
	for _, in := range list[at[ret]:] {
		if in.Op == x86asm.CALL {
			break
		}
		m, ok := in.Args[0].(x86asm.Mem)
		reg, stored := in.Args[1].(x86asm.Reg)
		if in.Op != x86asm.MOV || !ok || !stored || m.Base != x86asm.RSP || m.Index != 0 || m.Disp <= 0 {
			continue
		}
		if _, seen := slots[reg]; !seen {
			slots[reg] = uintptr(m.Disp)
		}
	}
	first, second = slots[x86asm.RAX], slots[x86asm.RBX]
	if first == 0 || second == 0 || first == second {
		return 0, 0, &discoveryError{"machine code of " + c.name(c.pc), "stores of RAX and RBX behind a call", fmt.Sprint(slots)}
	}
	return first, second, nil
}

// stackSlots returns where in its frame c has the two words, one behind the other, that
// it stores at the begin of a g, g.stack, behind ret. A store of g.stackguard0 comes
// next: nothing else in the runtime looks so.
func (c code) stackSlots(ret uintptr) (first, second uintptr, err error) {
	list, at, err := c.decode()
	if err != nil {
		return 0, 0, err
	}
	var from [x86asm.R15 + 1]uintptr // the slot that a register was loaded from
	var base x86asm.Reg
	for _, in := range list[at[ret]:] {
		if in.Op == x86asm.CALL {
			from = [x86asm.R15 + 1]uintptr{}
		}
		if reg, ok := in.Args[0].(x86asm.Reg); ok && reg <= x86asm.R15 {
			if reg >= x86asm.EAX && reg < x86asm.RAX { // clears the upper half
				reg += x86asm.RAX - x86asm.EAX
			}
			from[reg] = 0
			if m, ok := in.Args[1].(x86asm.Mem); ok && in.Op == x86asm.MOV && m.Base == x86asm.RSP && m.Index == 0 && m.Disp > 0 {
				from[reg] = uintptr(m.Disp)
			}
			continue
		}
		m, ok := in.Args[0].(x86asm.Mem)
		reg, stored := in.Args[1].(x86asm.Reg)
		if in.Op != x86asm.MOV || !ok || !stored || m.Base == x86asm.RSP || m.Index != 0 || reg > x86asm.R15 {
			continue
		}
		switch {
		case m.Disp == gStackLo && from[reg] != 0:
			base, first, second = m.Base, from[reg], 0
		case m.Disp == gStackHi && from[reg] != 0 && m.Base == base:
			second = from[reg]
		case m.Disp == gStackguard0 && m.Base == base && first != 0 && second != 0 && first != second:
			return first, second, nil
		}
	}
	return 0, 0, &discoveryError{"machine code of " + c.name(c.pc), "stores of g.stack and g.stackguard0 behind a call of memmove", "none"}
}
