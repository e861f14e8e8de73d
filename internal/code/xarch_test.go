package code_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stackhop/stackhop/internal/code"
	"github.com/stackhop/stackhop/internal/pcln"
	"github.com/stretchr/testify/require"
	"golang.org/x/arch/arm64/arm64asm"
	"golang.org/x/arch/x86/x86asm"
)

// Where golang.org/x/arch decodes an instruction, it has the same length, and the
// register that it names as the destination is among those that may change.
//
// The lengths that x86asm has wrong are listed in known. objdump has them as this
// package has: TestInstructionsAreThoseOfObjdump.
func TestInstructionsAreThoseOfXArch(t *testing.T) {
	programs(t, func(t *testing.T, name string) {
		tab, d := program(t, name)
		differ := map[string]int{}
		insts, unknown, dests := 0, 0, 0
		for _, f := range tab.Funcs {
			if strings.HasPrefix(f.Name, notCode) {
				continue
			}
			text := f.Text()
			for off := 0; off+d.Quantum <= len(text); {
				in, err := d.Decode(text[off:], f.Entry+uint64(off))
				require.NoError(t, err, f.Name)
				b := text[off : off+in.Len]
				off += in.Len
				insts++
				theirs := decodeX86
				if tab.Image.Arch == pcln.ARM64 {
					theirs = decodeARM
				}
				n, dst, op, ok := theirs(text[off-in.Len:])
				if !ok {
					unknown++
					continue
				}
				if n != in.Len {
					kind := fmt.Sprintf("%s: % x", op, b)
					if r := reason(b); r != "" {
						kind = r
					}
					differ[kind]++
					continue
				}
				if dst != code.NoReg {
					dests++
					if dst != d.SP && !in.Writes.Has(dst) || dst == d.SP && in.SP == 0 && !in.SPWrite && in.Src != dst {
						t.Errorf("%s at %#x: % x: %s writes %d, here %+v", f.Name, f.Entry+uint64(off-in.Len), b, op, dst, in)
					}
				}
			}
		}
		for kind, n := range differ {
			if slices.Contains(known, kind) {
				t.Logf("%d of another length in x86asm: %s", n, kind)
			} else {
				t.Errorf("%d of another length: %s", n, kind)
			}
		}
		t.Logf("%d instructions, %d that x/arch does not know, %d with a destination", insts, unknown, dests)
	})
}

// known are the instructions of which x86asm has the wrong length.
var known = []string{vzeroupper, adcx}

const (
	vzeroupper = "VZEROUPPER has no ModRM byte"
	adcx       = "ADCX and ADOX are more than their prefixes"
)

// reason returns why x86asm has a wrong length for b.
func reason(b []byte) string {
	switch {
	case string(b) == "\xc5\xf8\x77":
		return vzeroupper
	case (b[0] == 0x66 || b[0] == 0xf3) && len(b) > 5 && string(b[2:5]) == "\x0f\x38\xf6":
		return adcx
	}
	return ""
}

// decodeX86 returns the length of an instruction, its destination if that is a
// general register, and its operation.
func decodeX86(b []byte) (n int, dst code.Reg, op string, ok bool) {
	in, err := x86asm.Decode(b, 64)
	if err != nil {
		return 0, 0, "", false
	}
	dst = code.NoReg
	switch in.Op {
	case x86asm.CMP, x86asm.TEST, x86asm.PUSH, x86asm.BT, x86asm.NOP, x86asm.JMP, x86asm.CALL, x86asm.UD1, x86asm.OUT, x86asm.INVLPG,
		x86asm.MUL, x86asm.DIV, x86asm.IDIV: // they write RAX and RDX
		return in.Len, dst, in.String(), true
	}
	if in.Op == x86asm.IMUL && in.Args[1] == nil || strings.HasPrefix(in.Op.String(), "PREFETCH") || in.Len == 2 && b[0] == 0x66 && b[1] == 0x90 { // the latter, a NOP, is an XCHG to x86asm
		return in.Len, dst, in.String(), true
	}
	if r, is := in.Args[0].(x86asm.Reg); is {
		switch {
		case r >= x86asm.RAX && r <= x86asm.R15:
			dst = code.Reg(r - x86asm.RAX)
		case r >= x86asm.EAX && r <= x86asm.R15L:
			dst = code.Reg(r - x86asm.EAX)
		case r >= x86asm.AX && r <= x86asm.R15W:
			dst = code.Reg(r - x86asm.AX)
		case r >= x86asm.AL && r <= x86asm.BL:
			dst = code.Reg(r - x86asm.AL)
		case r >= x86asm.AH && r <= x86asm.BH:
			dst = code.Reg(r - x86asm.AH)
		case r >= x86asm.SPB && r <= x86asm.R15B:
			dst = code.Reg(r-x86asm.SPB) + 4
		}
	}
	return in.Len, dst, in.String(), true
}

// decodeARM is decodeX86 for arm64.
func decodeARM(b []byte) (n int, dst code.Reg, op string, ok bool) {
	in, err := arm64asm.Decode(b)
	if err != nil {
		return 0, 0, "", false
	}
	dst = code.NoReg
	op = in.Op.String()
	switch {
	case strings.HasPrefix(op, "ST") && !strings.HasPrefix(op, "STX") && !strings.HasPrefix(op, "STLX"), strings.HasPrefix(op, "CB"), strings.HasPrefix(op, "TB"),
		strings.HasPrefix(op, "B"), op == "RET", op == "PRFM", strings.HasPrefix(op, "CCM"), op == "CMP", op == "CMN", op == "TST",
		strings.HasPrefix(op, "LDADD"), strings.HasPrefix(op, "LDCLR"), strings.HasPrefix(op, "LDSET"), strings.HasPrefix(op, "LDEOR"), strings.HasPrefix(op, "SWP"),
		op == "MSR":
		return 4, dst, in.String(), true
	}
	switch r := in.Args[0].(type) {
	case arm64asm.Reg:
		switch {
		case r >= arm64asm.X0 && r <= arm64asm.X30:
			dst = code.Reg(r - arm64asm.X0)
		case r >= arm64asm.W0 && r <= arm64asm.W30:
			dst = code.Reg(r - arm64asm.W0)
		}
	case arm64asm.RegSP:
		if r := arm64asm.Reg(r); r == arm64asm.SP || r == arm64asm.WSP {
			dst = 31
		} else if r >= arm64asm.X0 && r <= arm64asm.X30 {
			dst = code.Reg(r - arm64asm.X0)
		} else if r >= arm64asm.W0 && r <= arm64asm.W30 {
			dst = code.Reg(r - arm64asm.W0)
		}
	}
	return 4, dst, in.String(), true
}
