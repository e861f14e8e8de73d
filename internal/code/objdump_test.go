package code_test

import (
	"bufio"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stackhop/stackhop/internal/code"
	"github.com/stackhop/stackhop/internal/pcln"
	"github.com/stackhop/stackhop/internal/testsupport"
	"github.com/stretchr/testify/require"
)

var (
	long     = flag.Bool("long", false, "compare large programs, of both architectures and in several build modes")
	binaries = flag.String("binaries", "", "compare these programs too: names, separated by spaces")
)

// program reads a program, and the decoder for its architecture.
func program(t *testing.T, name string) (*pcln.Table, *code.Decoder) {
	t.Helper()
	tab, err := pcln.Open(name)
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("no such program here: ", err)
	}
	require.NoError(t, err)
	d := code.For(tab.Image.Arch.String())
	require.NotNil(t, d)
	return tab, d
}

// programs runs a test on each program that this run compares.
func programs(t *testing.T, test func(t *testing.T, name string)) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("no ELF files are at hand on ", runtime.GOOS)
	}
	root := strings.TrimSpace(testsupport.Go(t, "", "env", "GOROOT"))
	names := append([]string{filepath.Join(root, "bin", "gofmt")}, strings.Fields(*binaries)...)
	if *long {
		self, err := os.Executable()
		require.NoError(t, err)
		tools := strings.TrimSpace(testsupport.Go(t, "", "env", "GOTOOLDIR"))
		names = append(names, self, filepath.Join(root, "bin", "go"), filepath.Join(tools, "compile"), filepath.Join(tools, "link"))
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) { test(t, name) })
	}
	for _, m := range testsupport.BuildModes {
		t.Run(m.Name, func(t *testing.T) {
			// One for the other architecture is always compared.
			if !*long && (m.Name != "arm64" || testing.Short()) {
				t.Skip("builds a program; only with -long")
			}
			test(t, m.Build(t))
		})
	}
}

// A line is an instruction as objdump prints it.
type line struct {
	addr       uint64
	name, rest string
	target     uint64 // of a direct branch
	text       string
}

// objdump calls each for every instruction in a program's text. It skips the test if
// no objdump here reads the architecture.
func objdump(t *testing.T, arch pcln.Arch, name string, each func(line)) {
	t.Helper()
	tool := ""
	candidates := []string{"objdump", "x86_64-linux-gnu-objdump", "llvm-objdump", "llvm-objdump-14"}
	if arch == pcln.ARM64 {
		candidates = []string{"aarch64-linux-gnu-objdump", "llvm-objdump", "llvm-objdump-14"}
		if runtime.GOARCH == "arm64" {
			candidates = append([]string{"objdump"}, candidates...)
		}
	}
	for _, c := range candidates {
		if p, err := exec.LookPath(c); err == nil {
			tool = p
			break
		}
	}
	if tool == "" {
		t.Skipf("none of %v is installed", candidates)
	}
	args := []string{"-d", "--no-show-raw-insn"}
	if arch == pcln.ARM64 && strings.Contains(tool, "llvm") {
		args = append(args, "--mattr=+v8.7a,+crypto,+sha3,+sve") // by default it knows version 8.0
	}
	cmd := exec.Command(tool, append(args, name)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	sc := bufio.NewScanner(out)
	n := 0
	for sc.Scan() {
		text := strings.TrimSpace(sc.Text())
		a, ins, ok := strings.Cut(text, ":")
		if !ok || a == "" {
			continue
		}
		addr, err := strconv.ParseUint(a, 16, 64)
		if err != nil {
			continue
		}
		l := line{addr: addr, text: text}
		f := strings.Fields(ins)
		for len(f) > 0 && prefixes[f[0]] {
			f = f[1:]
		}
		if len(f) == 0 {
			continue
		}
		l.name, l.rest = strings.TrimSuffix(strings.TrimSuffix(f[0], ",pn"), ",pt"), strings.Join(f[1:], " ")
		l.rest, _, _ = strings.Cut(l.rest, " <") // the name of a symbol
		operands := l.rest
		if i := strings.LastIndexByte(operands, ' '); i >= 0 {
			operands = operands[i+1:]
		}
		l.target, _ = strconv.ParseUint(strings.TrimPrefix(operands, "0x"), 16, 64)
		each(l)
		n++
	}
	require.NoError(t, cmd.Wait())
	require.Greater(t, n, 10_000)
}

// prefixes are what objdump prints before an instruction's name.
var prefixes = map[string]bool{"lock": true, "rep": true, "repz": true, "repnz": true, "notrack": true, "bnd": true, "cs": true, "ds": true,
	"es": true, "ss": true, "data16": true, "xacquire": true, "xrelease": true}

// op returns what objdump says an instruction is, in the terms of this package.
func (l line) op(arch pcln.Arch) code.Op {
	indirect := strings.HasPrefix(l.rest, "*")
	if arch == pcln.ARM64 {
		switch {
		case l.name == "bl":
			return code.Call
		case l.name == "blr":
			return code.CallReg
		case l.name == "b":
			return code.Jump
		case l.name == "br":
			return code.JumpReg
		case strings.HasPrefix(l.name, "b."), l.name == "cbz", l.name == "cbnz", l.name == "tbz", l.name == "tbnz":
			return code.Branch
		case l.name == "ret":
			return code.Return
		case l.name == "brk":
			return code.Break
		case l.name == "hlt", l.name == "udf":
			return code.Trap
		}
		return code.Other
	}
	mem := strings.Contains(l.rest, "(") || indirect && !strings.HasPrefix(l.rest, "*%")
	switch {
	case l.name == "call", l.name == "callq":
		switch {
		case mem:
			return code.CallMem
		case indirect:
			return code.CallReg
		}
		return code.Call
	case l.name == "jmp", l.name == "jmpq":
		switch {
		case mem:
			return code.JumpMem
		case indirect:
			return code.JumpReg
		}
		return code.Jump
	case strings.HasPrefix(l.name, "j"), strings.HasPrefix(l.name, "loop"), l.name == "xbegin":
		return code.Branch
	case l.name == "ret", l.name == "retq", l.name == "lret", l.name == "iretq":
		return code.Return
	case l.name == "int3", l.name == "int1":
		return code.Break
	case l.name == "ud2", l.name == "ud1", l.name == "hlt":
		return code.Trap
	}
	return code.Other
}

// control reduces the operations that objdump does not tell apart by name.
func control(o code.Op) code.Op {
	if o >= code.Const {
		return code.Other
	}
	return o
}

// notCode begins the names of functions that jump across a signature, which other
// programs look for and which is not code. Nor does objdump decode the numbers that
// the arm64 assembler puts behind a function.
const notCode = "crypto/internal/boring/sig."

// Every instruction of every function begins where objdump has one begin, and
// every branch is of the same kind and goes to the same place.
func TestInstructionsAreThoseOfObjdump(t *testing.T) {
	programs(t, func(t *testing.T, name string) {
		tab, d := program(t, name)
		var f *pcln.Func
		var pc uint64
		insts, branches, bad, funcs := 0, 0, 0, 0
		report := func(format string, args ...any) {
			t.Helper()
			if bad++; bad <= 20 {
				t.Errorf(format, args...)
			}
		}
		done := func() {
			if f != nil && pc < f.End && !strings.HasPrefix(f.Name, notCode) && strings.Trim(string(f.Text()[pc-f.Entry:]), "\x00") != "" { // it leaves out zeros
				report("%s: objdump's last instruction ends at %#x, not at %#x", f.Name, pc, f.End)
			}
		}
		objdump(t, tab.Image.Arch, name, func(l line) {
			if f == nil || l.addr >= f.End {
				done()
				if f = tab.Find(l.addr); f == nil {
					return
				}
				pc = f.Entry
				funcs++
			}
			if strings.HasPrefix(f.Name, notCode) || l.name == "<unknown>" {
				pc = l.addr + 4
				return
			}
			if pc != l.addr {
				if pc < f.End {
					report("%s: an instruction at %#x, objdump has one at %#x: %s", f.Name, pc, l.addr, l.text)
				}
				pc = f.End // wait for the next function
				return
			}
			in, err := d.Decode(f.Text()[pc-f.Entry:], pc)
			if err != nil {
				report("%s: %v, objdump has %s", f.Name, err, l.text)
				pc = f.End
				return
			}
			want := l.op(tab.Image.Arch)
			if control(in.Op) != want {
				report("%s: %v at %#x, objdump has %s", f.Name, in.Op, pc, l.text)
			}
			if in.Target != l.target && (want == code.Call || want == code.Jump || want == code.Branch) {
				report("%s: %v at %#x to %#x, objdump has %s", f.Name, in.Op, pc, in.Target, l.text)
			}
			if want != code.Other {
				branches++
			}
			insts++
			pc += uint64(in.Len)
		})
		done()
		t.Logf("%d functions of %d, %d instructions, %d branches and traps, %d differ", funcs, len(tab.Funcs), insts, branches, bad)
	})
}
