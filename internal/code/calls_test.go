package code_test

import (
	"strings"
	"testing"

	"github.com/stackhop/stackhop/internal/code"
	"github.com/stackhop/stackhop/internal/pcln"
	"github.com/stackhop/stackhop/internal/testsupport"
	"github.com/stretchr/testify/require"
)

// analyze analyzes a function of a program.
func analyze(tab *pcln.Table, d *code.Decoder, f *pcln.Func) (*code.Body, error) {
	var others []uint64
	if f.DeferReturn != 0 {
		others = append(others, f.DeferReturn)
	}
	return code.Analyze(d, f.Text(), f.Entry, tab.Image, others...)
}

// duff reports whether f is one of the functions that Go 1.25 calls in their midst:
// the later, the less they clear or copy.
func duff(f *pcln.Func) bool {
	return f != nil && (f.Name == "runtime.duffzero" || f.Name == "runtime.duffcopy")
}

// Every call that objdump finds is found, with the same target, and no other;
// so is every jump that leaves a function. Each from compiled code goes to where a
// function begins.
func TestCallsAreThoseOfObjdump(t *testing.T) {
	programs(t, func(t *testing.T, name string) {
		tab, d := program(t, name)
		sites := map[uint64]code.Site{}
		var direct, static, values, memory, global, other, jumps, refs, entries, dead, open, wrong int
		for _, f := range tab.Funcs {
			b, err := analyze(tab, d, f)
			require.NoError(t, err, f.Name)
			if len(f.Depths()) == 0 {
				for _, s := range b.Sites {
					sites[s.PC] = s
				}
				continue // a function of C, linked by Go's linker
			}
			if b.Open {
				open++
				require.NotZero(t, f.Flags&pcln.Assembly, "%s jumps to where nothing tells", f.Name)
			}
			for _, s := range b.Sites {
				sites[s.PC] = s
				switch {
				case s.Dead:
					dead++
				case s.Jump:
					jumps++
				case s.Direct && s.Context.Kind == code.Known:
					static++
				case s.Direct:
					direct++
				case s.FuncValue:
					values++
				case s.From.Kind == code.Loaded:
					memory++
					if s.From.N == 0 && f.Flags&pcln.Assembly == 0 {
						t.Errorf("%s at %#x calls a func value without its context: %+v", f.Name, s.PC, s)
					}
				case s.From.Kind == code.Global:
					global++
				default:
					other++
				}
				if s.Direct && tab.Entry(s.Target) == nil && tab.Image.Executable(s.Target) && f.Flags&pcln.Assembly == 0 && !duff(tab.Find(s.Target)) {
					if wrong++; wrong <= 20 {
						t.Errorf("%s at %#x calls %#x, where no function begins", f.Name, s.PC, s.Target)
					}
				}
			}
			for _, r := range b.Refs {
				refs++
				if tab.Entry(r.Addr) != nil {
					entries++
				}
			}
		}
		bad, calls := 0, 0
		objdump(t, tab.Image.Arch, name, func(l line) {
			s, found := sites[l.addr]
			delete(sites, l.addr)
			f := tab.Find(l.addr)
			if f == nil || strings.HasPrefix(f.Name, notCode) {
				return
			}
			op := l.op(tab.Image.Arch)
			want := false
			switch op {
			case code.Call, code.CallReg, code.CallMem:
				want = true
				calls++
			case code.Jump, code.Branch:
				want = l.target-f.Entry >= f.End-f.Entry
			case code.JumpReg, code.JumpMem:
				return // of a switch, or it leaves
			}
			if found != want || want && l.target != 0 && (op == code.Call || op == code.Jump || op == code.Branch) && s.Target != l.target ||
				found && s.Jump != (op == code.Jump || op == code.Branch) {
				if bad++; bad <= 20 {
					t.Errorf("%s: found %v %+v, objdump has %s", f.Name, found, s, l.text)
				}
			}
		})
		for pc, s := range sites {
			if !s.Jump && !s.Dead {
				t.Errorf("a call at %#x that objdump does not have", pc)
			}
		}
		t.Logf("%d calls, %d differ; %d direct, %d with a known context, %d of func values, %d through memory, %d through variables, %d others; %d jumps; "+
			"%d addresses, %d of functions; %d dead calls, %d open functions", calls, bad, direct, static, values, memory, global, other, jumps, refs, entries, dead, open)
	})
}

// wrongDepths is a function with a wrong table: behind a return in its midst, the
// assembler takes the depth to be that of the entry, but a jump from a greater depth
// leads there. C calls it, for the race detector, on the stack of the thread.
const wrongDepths = "runtime.racecallbackthunk"

// The depths of the function table are exact: they follow from the instructions, by
// induction over the paths from the entry.
func TestDepthsAreWhatInstructionsMakeThem(t *testing.T) {
	programs(t, func(t *testing.T, name string) {
		tab, d := program(t, name)
		var insts, changes, skipped, calls int
		for _, f := range tab.Funcs {
			if strings.HasPrefix(f.Name, notCode) || f.Name == wrongDepths {
				continue
			}
			if f.Flags&pcln.SPWrite != 0 {
				skipped++
				continue
			}
			calls += checkDepths(t, tab, d, f, &insts, &changes)
		}
		t.Logf("%d instructions, %d calls, %d changes of SP; %d functions say that they set SP", insts, calls, changes, skipped)
	})
}

// checkDepths checks a function and returns the number of its calls.
func checkDepths(t *testing.T, tab *pcln.Table, d *code.Decoder, f *pcln.Func, insts, changes *int) (calls int) {
	t.Helper()
	text := f.Text()
	if dep, ok := f.Depth(f.Entry); ok && dep != 0 {
		t.Errorf("%s: depth %d at the entry", f.Name, dep)
	}
	// low has, for registers that hold SP less a number, the depth that SP has when it
	// is set from them.
	low := map[code.Reg]int{}
	known := map[code.Reg]int{}
	last := ""  // the function called since the last label
	behind := 0 // what SP was raised by without the table saying so
	labels := jumpTargets(d, f)
	for off := 0; off < len(text); {
		pc := f.Entry + uint64(off)
		depth, ok := f.Depth(pc)
		if !ok {
			break // padding
		}
		in, err := d.Decode(text[off:], pc)
		if err != nil {
			t.Errorf("%s: %v", f.Name, err)
			return calls
		}
		off += in.Len
		*insts++
		next := depth - int(in.SP)
		if in.SP != 0 {
			*changes++
		}
		switch in.Op {
		case code.Call, code.CallReg, code.CallMem:
			calls++
			last = "?"
			if callee := tab.Entry(in.Target); callee != nil {
				last = callee.Name
			}
		}
		if in.SPWrite {
			n, ok := low[in.Src]
			if in.Op == code.Add && in.Src == d.SP {
				n, ok = depth, true
			}
			if num, is := known[in.Src2]; is && (in.Op == code.Sub || in.Op == code.Sum) && in.Src == d.SP {
				if in.Op == code.Sum {
					num = -num
				}
				n, ok = depth+num, true
			}
			if !ok {
				t.Errorf("%s+%#x: SP is set from something unknown", f.Name, pc-f.Entry)
				return calls
			}
			next = n - int(in.Imm)
			*changes++
		}
		src, haveSrc := low[in.Src]
		num, haveNum := known[in.Src]
		num2, haveNum2 := known[in.Src2]
		for r := code.Reg(0); r < 32; r++ {
			if in.Writes.Has(r) && !(in.Op == code.Insert && r == in.Dst) {
				delete(low, r)
				delete(known, r)
			}
		}
		switch {
		case in.Op == code.Const:
			known[in.Dst] = int(in.Imm)
		case in.Op == code.Insert:
			known[in.Dst] = known[in.Dst]&^(0xffff<<in.Shift) | int(in.Imm)<<in.Shift
		case (in.Op == code.Add || in.Op == code.Move) && in.Src == d.SP:
			low[in.Dst] = depth - int(in.Imm)
		case in.Op == code.Sub && in.Src == d.SP && haveNum2:
			low[in.Dst] = depth + num2
		case (in.Op == code.Add || in.Op == code.Move) && haveSrc:
			low[in.Dst] = src - int(in.Imm)
		case (in.Op == code.Add || in.Op == code.Move) && haveNum:
			known[in.Dst] = num + int(in.Imm)
		}
		if after, ok := f.Depth(f.Entry + uint64(off)); ok && in.Op.Continues() && after != next-behind {
			switch {
			case neverReturns(last):
				// What follows is reached from elsewhere.
			case after == depth && in.SP > 0 && f.Text()[off+3] == 0x91:
				// The arm64 assembler makes two additions of one, and its table has their sum.
				behind += int(in.SP)
			default:
				t.Errorf("%s+%#x: depth %d, then %d, but the instruction makes it %d", f.Name, pc-f.Entry, depth, after, next)
				return calls
			}
		} else {
			behind = 0
		}
		if labels[f.Entry+uint64(off)] {
			last = ""
		}
		if in.Op == code.Jump || in.Op == code.Branch {
			if there, ok := f.Depth(in.Target); ok && there != depth {
				t.Errorf("%s+%#x: depth %d, but %d at its target", f.Name, pc-f.Entry, depth, there)
				return calls
			}
		}
	}
	return calls
}

// jumpTargets returns the targets of a function's jumps.
func jumpTargets(d *code.Decoder, f *pcln.Func) map[uint64]bool {
	targets := map[uint64]bool{}
	text := f.Text()
	for off := 0; off < len(text); {
		in, err := d.Decode(text[off:], f.Entry+uint64(off))
		if err != nil {
			break
		}
		off += in.Len
		targets[in.Target] = true
	}
	return targets
}

// neverReturns reports whether the compiler emits nothing that belongs behind a
// call of the function.
func neverReturns(name string) bool {
	return strings.HasPrefix(name, "runtime.panic") || name == "runtime.gopanic" || name == "runtime.fatal" || strings.HasSuffix(name, ".throw")
}

// Analyze finds what a call is given: a constant, and a static func value. It tells
// calls of func values from those of methods, and it follows jump tables.
func TestArgumentsOfCallsAreFound(t *testing.T) {
	for _, m := range testsupport.BuildModes {
		t.Run(m.Name, func(t *testing.T) {
			switch {
			case !*long && (m.Name != "arm64" || testing.Short()):
				t.Skip("builds a program; only with -long")
			case strings.HasPrefix(m.Name, "plugin"):
				t.Skip("in a plugin, main has a name made from its content")
			}
			tab, d := program(t, m.Build(t))
			first := func(name string) *pcln.Func {
				t.Helper()
				all := tab.Lookup(name)
				require.Len(t, all, 1, name)
				return all[0]
			}
			b, err := analyze(tab, d, first("main.main"))
			require.NoError(t, err)
			var numbers []uint64
			for _, s := range b.Sites {
				if s.Target != first("main.take").Entry {
					continue
				}
				require.Equal(t, code.Known, s.Args[0].Kind)
				if numbers = append(numbers, s.Args[0].N); len(numbers) > 1 {
					continue
				}
				require.Equal(t, code.Known, s.Args[1].Kind)
				seven, _ := tab.Image.Uint64(s.Args[1].N)
				require.Equal(t, first("main.seven").Entry, seven)
			}
			require.Equal(t, []uint64{70_000, 0x18000}, numbers)

			methods := 0
			b, err = analyze(tab, d, first("main.total"))
			require.NoError(t, err)
			for _, s := range b.Sites {
				if s.From.Kind == code.Loaded && s.From.N == 24 {
					methods++ // the first method of an itab
				}
			}
			require.Equal(t, 1, methods)

			b, err = analyze(tab, d, first("main.words"))
			require.NoError(t, err)
			require.False(t, b.Open)
			calls := 0
			for _, s := range b.Sites {
				require.False(t, s.Dead)
				if strings.HasPrefix(tab.Find(s.Target).Name, "strings.") || strings.HasPrefix(tab.Find(s.Target).Name, "fmt.") {
					calls++
				}
			}
			require.GreaterOrEqual(t, calls, 5)

			values := 0
			b, err = analyze(tab, d, first("main.take"))
			require.NoError(t, err)
			for _, s := range b.Sites {
				if s.FuncValue {
					values++
				}
			}
			require.Equal(t, 1, values)
		})
	}
}
