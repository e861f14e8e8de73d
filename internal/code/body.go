package code

import (
	"fmt"
	"math/bits"
)

// A Body lists what the text of a function does that concerns other functions.
type Body struct {
	Sites []Site // in the order of their addresses
	Refs  []Ref
	Insts int

	// Open is set if the function has an indirect jump to targets that are not
	// known. It may go to any instruction of the function, so no register is
	// taken to have a known value anywhere.
	Open bool
}

// A Site is a call, or a jump that leaves the function.
type Site struct {
	PC   uint64
	Len  int
	Jump bool // not a call
	Cond bool // a conditional jump

	// Dead is set if nothing leads to the site. What looks like a dead call may
	// be part of numbers in the text.
	Dead bool

	// Target is the address that is called, if Direct is set. A call through a
	// register that has a known value, such as a static func value, is direct too.
	// Target need not be where a function begins: Go 1.25 calls runtime.duffzero and
	// runtime.duffcopy in their midst.
	Direct bool
	Target uint64

	// From says how the target of an indirect site is found. FuncValue is set if the
	// target is the first word of what the context register points to: this is how
	// func values are called.
	From      Value
	FuncValue bool

	// Context is what the register that holds the func value has: a Known
	// one is the address of a static func value or of a closure.
	Context Value

	// Args are the first integer arguments.
	Args [4]Value
}

// A Ref is an address that an instruction computes relative to itself.
type Ref struct{ PC, Addr uint64 }

// A ValueKind says what is known of a value.
type ValueKind uint8

const (
	Unknown ValueKind = iota
	Known             // it is N: a number or an address
	Loaded            // eight bytes at N beyond the register Base, as that was at the load
	Global            // eight bytes at address N, which the program may change
	Table             // eight bytes at some index of the table at address N
)

// A Value is what is known of the content of a register.
type Value struct {
	Kind ValueKind
	Base Reg // of Loaded, else 0
	N    uint64
}

// A Memory is the memory of the program that the text is part of.
type Memory interface {
	Uint64(addr uint64) (uint64, bool) // the word at addr
	Writable(addr uint64) bool         // whether the program may change it
}

// An OverlapError says that a jump goes to Target, in the midst of an instruction.
type OverlapError struct{ Target uint64 }

func (e *OverlapError) Error() string {
	return fmt.Sprintf("code: a jump goes to %#x, the midst of an instruction", e.Target)
}

// Is reports whether target is ErrUnknown.
func (e *OverlapError) Is(target error) bool { return target == ErrUnknown }

// Analyze decodes the function with this text at address entry. It decodes what
// may run: it begins at the entry, and at others, such as the call of
// deferreturn, which only the runtime goes to, and follows every jump. Text that
// is not reached may be padding, numbers, or anything else, so Analyze lists calls
// there as Dead, and no error comes from there. In an Open function everything
// counts as reached.
//
// If mem is nil, nothing is known of the content of memory. The error Is
// [ErrUnknown].
func Analyze(d *Decoder, text []byte, entry uint64, mem Memory, others ...uint64) (*Body, error) {
	text = text[:len(text)-len(text)%d.Quantum]
	a := analysis{d: d, text: text, entry: entry, mem: mem,
		starts: make(bitmap, len(text)/64+1), labels: make(bitmap, len(text)/64+1)}
	if len(text) > 0 {
		a.label(entry)
	}
	for _, pc := range others {
		if a.inside(pc) {
			a.label(pc)
		}
	}
	// A jump table adds labels, so what was taken for known before may not be.
	// There are more than a few rounds only if tables lead to tables.
	const rounds = 8
	for range rounds {
		if err := a.reach(); err != nil {
			return nil, err
		}
		if err := a.walk(); err != nil {
			return nil, err
		}
		if len(a.queue) == 0 {
			break
		}
	}
	if a.body.Open || len(a.queue) > 0 {
		a.forget = true
		if err := a.sweep(); err != nil {
			return nil, err
		}
		if err := a.walk(); err != nil {
			return nil, err
		}
		a.body.Open = true
	}
	a.addDead()
	return &a.body, nil
}

type bitmap []uint64

func (b bitmap) has(i int) bool { return b[i/64]>>(i%64)&1 != 0 }
func (b bitmap) set(i int)      { b[i/64] |= 1 << (i % 64) }

type analysis struct {
	d     *Decoder
	text  []byte
	entry uint64
	mem   Memory
	body  Body

	starts bitmap // by offset: instructions that are reached
	labels bitmap // by offset: targets of jumps, and entries
	queue  []int  // labels not yet followed
	tables map[uint64]struct{}
	forget bool // take no register for known

	regs  [32]Value
	pages RegSet // registers with the page of an address

	// Two registers with one id have the same content. base has, for registers that
	// were loaded, the id of what their address was relative to.
	ids, base [32]uint64
	lastID    uint64
}

// inside reports whether pc is in the function.
func (a *analysis) inside(pc uint64) bool { return pc-a.entry < uint64(len(a.text)) }

// label notes a target of a jump.
func (a *analysis) label(pc uint64) {
	if i := int(pc - a.entry); !a.labels.has(i) {
		a.labels.set(i)
		a.queue = append(a.queue, i)
	}
}

// reach decodes what is reached from the labels in the queue.
func (a *analysis) reach() error {
	for len(a.queue) > 0 {
		off := a.queue[len(a.queue)-1]
		a.queue = a.queue[:len(a.queue)-1]
		for off < len(a.text) && !a.starts.has(off) {
			in, err := a.d.Decode(a.text[off:], a.entry+uint64(off))
			if err != nil {
				return err
			}
			a.starts.set(off)
			a.body.Insts++
			if (in.Op == Jump || in.Op == Branch) && a.inside(in.Target) {
				a.label(in.Target)
			}
			if !in.Op.Continues() {
				break
			}
			off += in.Len
		}
	}
	return nil
}

// sweep decodes everything.
func (a *analysis) sweep() error {
	for off := 0; off < len(a.text); {
		a.queue = append(a.queue, off)
		if err := a.reach(); err != nil {
			return err
		}
		in, _ := a.d.Decode(a.text[off:], a.entry+uint64(off))
		off += in.Len
	}
	return nil
}

// walk lists sites and addresses, and follows values from each label on.
func (a *analysis) walk() error {
	a.body.Sites, a.body.Refs = nil, nil
	end := 0 // of the instruction before
	for off := 0; off < len(a.text); off++ {
		if !a.starts.has(off) {
			continue
		}
		if off < end {
			return &OverlapError{a.entry + uint64(off)}
		}
		pc := a.entry + uint64(off)
		if off > end || a.forget || a.labels.has(off) {
			a.reset()
		}
		in, _ := a.d.Decode(a.text[off:], pc)
		switch in.Op {
		case Call, CallReg, CallMem, Jump, JumpReg, JumpMem, Branch:
			a.site(&in, pc)
		}
		switch in.Op {
		case Call, CallReg, CallMem, Break, Jump, JumpReg, JumpMem, Return, Trap:
			a.reset()
		default:
			a.step(&in, pc)
		}
		end = off + in.Len
	}
	return nil
}

// addDead lists the calls in text that is not reached.
func (a *analysis) addDead() {
	a.reset()
	live := a.body.Sites
	var all []Site
	for off := 0; off < len(a.text); {
		pc := a.entry + uint64(off)
		in, err := a.d.Decode(a.text[off:], pc)
		switch {
		case a.starts.has(off):
			for len(live) > 0 && live[0].PC == pc {
				all, live = append(all, live[0]), live[1:]
			}
		case err != nil || a.reached(off+1, off+in.Len):
			off += a.d.Quantum // numbers
			continue
		case in.Op == Call || in.Op == CallReg || in.Op == CallMem:
			all = append(all, Site{PC: pc, Len: in.Len, Direct: in.Op == Call, Target: in.Target, Dead: true})
		}
		off += in.Len
	}
	a.body.Sites = all
}

// reached reports whether an instruction that is reached begins between two offsets.
func (a *analysis) reached(from, to int) bool {
	for ; from < to && from < len(a.text); from++ {
		if a.starts.has(from) {
			return true
		}
	}
	return false
}

// reset forgets what registers have.
func (a *analysis) reset() {
	a.regs, a.base, a.pages = [32]Value{}, [32]uint64{}, 0
	for i := range a.ids {
		a.ids[i] = a.newID()
	}
}

func (a *analysis) newID() uint64 {
	a.lastID++
	return a.lastID
}

// value returns what register r has.
func (a *analysis) value(r Reg) Value {
	if r < 32 {
		return a.regs[r]
	}
	return Value{}
}

// load returns what eight bytes at m have.
func (a *analysis) load(m Mem) Value {
	base := a.value(m.Base)
	switch {
	case m.Base == NoReg:
		base = Value{Kind: Known}
	case base.Kind != Known && m.Index == NoReg:
		return Value{Loaded, m.Base, uint64(m.Disp)}
	case base.Kind != Known:
		return Value{}
	}
	addr := base.N + uint64(m.Disp)
	if m.Index != NoReg {
		if m.Scale != 8 {
			return Value{}
		}
		return Value{Kind: Table, N: addr}
	}
	if a.mem != nil && !a.mem.Writable(addr) {
		if w, ok := a.mem.Uint64(addr); ok {
			return Value{Kind: Known, N: w}
		}
	}
	return Value{Kind: Global, N: addr}
}

// site notes a call or jump.
func (a *analysis) site(in *Inst, pc uint64) {
	s := Site{PC: pc, Len: in.Len, Direct: true, Target: in.Target, Cond: in.Op == Branch}
	s.Jump = s.Cond || !in.Op.Continues()
	if in.Op != Call && in.Op != Jump && in.Op != Branch {
		var base uint64
		if in.Op == CallMem || in.Op == JumpMem {
			s.From = a.load(in.Mem)
			if in.Mem.Base < 32 {
				base = a.ids[in.Mem.Base]
			}
		} else if s.From = a.value(in.Src); in.Src < 32 {
			base = a.base[in.Src]
		}
		s.FuncValue = s.From.Kind == Loaded && s.From.N == 0 && base == a.ids[a.d.Context]
		if s.Direct = s.From.Kind == Known; s.Direct {
			s.Target = s.From.N
		}
	}
	if s.Jump && s.Direct && a.inside(s.Target) {
		a.label(s.Target)
		return
	}
	if s.Jump && !s.Direct {
		if s.From.Kind == Table && a.table(s.From.N) {
			return
		}
		if s.From.Kind == Table || s.From.Kind == Unknown {
			a.body.Open = true
		}
	}
	s.Context = a.value(a.d.Context)
	for i, r := range a.d.Args {
		s.Args[i] = a.regs[r]
	}
	a.body.Sites = append(a.body.Sites, s)
}

// table notes the targets in the jump table at addr, as far as words follow that
// are in the function. It returns false if there is none.
func (a *analysis) table(addr uint64) bool {
	if a.tables == nil {
		a.tables = map[uint64]struct{}{}
	}
	for n := 0; ; n++ {
		if _, ok := a.tables[addr]; ok {
			return true
		}
		if a.mem == nil {
			return false
		}
		t, ok := a.mem.Uint64(addr)
		if !ok || !a.inside(t) || (t-a.entry)%uint64(a.d.Quantum) != 0 {
			return n > 0
		}
		a.tables[addr] = struct{}{}
		a.label(t)
		addr += 8
	}
}

// step changes the registers as an instruction does that continues.
func (a *analysis) step(in *Inst, pc uint64) {
	var v Value
	src, src2 := a.value(in.Src), a.value(in.Src2)
	page := in.Src < 32 && a.pages.Has(in.Src)
	switch in.Op {
	case Const:
		v = Value{Kind: Known, N: uint64(in.Imm)}
	case Insert:
		if v = a.value(in.Dst); v.Kind == Known {
			v.N = v.N&^(0xffff<<in.Shift) | uint64(in.Imm)<<in.Shift
		} else {
			v = Value{}
		}
	case Move:
		v = src
	case Add:
		if src.Kind == Known {
			v = Value{Kind: Known, N: src.N + uint64(in.Imm)}
		}
	case Sum, Sub:
		if src.Kind == Known && src2.Kind == Known {
			v = Value{Kind: Known, N: src.N + src2.N}
			if in.Op == Sub {
				v.N = src.N - src2.N
			}
		}
	case Load:
		v = a.load(in.Mem)
	}
	id, base := a.newID(), uint64(0)
	switch {
	case in.Op == Move && in.Src < 32:
		id, base = a.ids[in.Src], a.base[in.Src]
	case in.Op == Load && in.Mem.Base < 32:
		base = a.ids[in.Mem.Base]
	}
	for s := in.Writes; s != 0; s &= s - 1 {
		r := bits.TrailingZeros32(uint32(s))
		a.regs[r], a.ids[r], a.base[r] = Value{}, a.newID(), 0
	}
	a.pages &^= in.Writes
	if in.Dst < 32 && in.Op != Other && in.Dst != a.d.SP {
		a.regs[in.Dst], a.ids[in.Dst], a.base[in.Dst] = v, id, base
	}
	switch {
	case in.Op == Const && in.Relative && a.d.Quantum == 4 && in.Imm&0xfff == 0:
		a.pages |= set(in.Dst) // ADRP; the rest follows
	case in.Op == Const && in.Relative, (in.Op == Add || in.Op == Move) && page:
		a.body.Refs = append(a.body.Refs, Ref{pc, v.N})
	}
}
