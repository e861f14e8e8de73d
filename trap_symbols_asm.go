//go:build linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28

package stackhop

import (
	"fmt"
	"reflect"
	"runtime"
	"unsafe"
)

// The runtime's tables of functions, read without allocating: runtime.FuncForPC
// allocates for inlined code, and the trap may have come in the middle of an
// allocation. SAFETY(K2): findSymbols has checked the first module's; they are
// never written or unmapped. A plugin's are like them.

// A symbol is a function: a runtime._func, and the runtime.moduledata that has it.
// The zero symbol is none.
type symbol struct{ fn, module uintptr }

// What _func and FUNCDATA have at which index (internal/abi/symtab.go, Go 1.25 to 1.27).
const (
	pcdataInlTreeIndex         = 2
	funcdataInlTree            = 3
	funcdataOpenCodedDeferInfo = 4

	inlinedSize    = 16 // runtime.inlinedCall (symtabinl.go, likewise)
	inlinedNameOff = 4
	pcQuantum      = 1 + 3*isArm64
)

// firstModule is the moduledata of the program, which has its runtime and this package.
var firstModule uintptr

// moduleAt returns the module with code at pc, or 0.
func moduleAt(pc uintptr) uintptr {
	for m := firstModule; m != 0; m = peek64(m + moduleNext) {
		if pc >= peek64(m+moduleText) && pc < peek64(m+moduleEtext) {
			return m
		}
	}
	return 0
}

// symbolAt returns the function with code at pc.
func symbolAt(pc uintptr) symbol {
	m := moduleAt(pc)
	if m == 0 {
		return symbol{}
	}
	off := uint32(pc - peek64(m+moduleText))
	table := peek64(m + moduleFtab)
	lo, hi := uintptr(0), peek64(m+moduleFtab+8)-1 // the last entry is the end
	for lo+1 < hi {
		if mid := (lo + hi) / 2; peek32(table+8*mid) <= off {
			lo = mid
		} else {
			hi = mid
		}
	}
	return symbol{peek64(m+modulePclntable) + uintptr(peek32(table+8*lo+4)), m}
}

func (s symbol) entry() uintptr {
	if s.fn == 0 {
		return 0
	}
	return peek64(s.module+moduleText) + uintptr(peek32(s.fn+funcEntryOff))
}

// nameAt returns the name of the innermost function that the compiler has inlined at
// pc, or the name of s if none is. The zero symbol has no name.
func (s symbol) nameAt(pc uintptr) (name string, inlined bool) {
	if s.fn == 0 {
		return "", false
	}
	off := peek32(s.fn + funcNameOff)
	if tree, i := s.funcdata(funcdataInlTree), s.pcdata(pcdataInlTreeIndex, pc); tree != 0 && i >= 0 {
		off, inlined = peek32(tree+inlinedSize*uintptr(i)+inlinedNameOff), true
	}
	p := peek64(s.module+moduleFuncnametab) + uintptr(off)
	n := 0
	for peek8(p+uintptr(n)) != 0 {
		n++
	}
	return textAt(p, n), inlined
}

// textAt is the string of n bytes at p, in a table of names.
//
//go:nocheckptr
func textAt(p uintptr, n int) string { return unsafe.String(*(**byte)(unsafe.Pointer(&p)), n) }

// funcdata returns the address of a function's FUNCDATA, or 0.
func (s symbol) funcdata(i uintptr) uintptr {
	if uintptr(peek8(s.fn+funcNfuncdata)) <= i {
		return 0
	}
	const none = 1<<32 - 1
	off := peek32(s.fn + funcNfuncdata + 1 + 4*(uintptr(peek32(s.fn+funcNpcdata))+i))
	if off == none {
		return 0
	}
	return peek64(s.module+moduleGofunc) + uintptr(off)
}

// pcdata returns the value of a function's PCDATA at pc, or -1.
func (s symbol) pcdata(i, pc uintptr) int32 {
	if uintptr(peek32(s.fn+funcNpcdata)) <= i {
		return -1
	}
	off := peek32(s.fn + funcNfuncdata + 1 + 4*i)
	if off == 0 {
		return -1
	}
	p, at, v := peek64(s.module+modulePctab)+uintptr(off), s.entry(), int32(-1)
	for first := true; ; first = false {
		var delta, step uintptr
		if delta, p = varint(p); delta == 0 && !first {
			return -1
		}
		v += int32(-(uint32(delta) & 1) ^ uint32(delta)>>1)
		step, p = varint(p)
		if at += step * pcQuantum; pc < at {
			return v
		}
	}
}

// funcID returns the runtime's mark of special functions.
func (s symbol) funcID() uint8 { return peek8(s.fn + funcFuncID) }

// args returns the size of the arguments and results that a function has on the
// stack, or -1: assembly that does not say.
func (s symbol) args() int {
	if s.fn == 0 {
		return -1
	}
	return int(int32(peek32(s.fn + funcArgs)))
}

func varint(p uintptr) (v, next uintptr) {
	for shift := 0; ; shift += 7 {
		b := peek8(p)
		p++
		v |= uintptr(b&0x7f) << shift
		if b < 0x80 {
			return v, p
		}
	}
}

// findSymbols finds the moduledata of the module of the function that starts at entry,
// and holds what its tables say against what the runtime does.
func findSymbols(entry uintptr) error {
	data, types, err := moduleTypes(entry)
	if err == nil {
		err = checkLayout(layoutFields[:], types)
	}
	if err != nil {
		return err
	}
	if n := peek64(data + moduleTextsectmap + 8); n > 1 {
		return &discoveryError{"the program's text", "one section", fmt.Sprint(n)}
	}
	firstModule = data
	for _, pc := range []uintptr{entry, morestackPC(), callInReservePC(), trapHandlerPC()} {
		want := runtime.FuncForPC(pc)
		s := symbolAt(pc)
		if got, _ := s.nameAt(pc); got != want.Name() || s.entry() != want.Entry() {
			return &discoveryError{"function in the program's tables", want.Name(), got}
		}
	}
	return findSite()
}

// moduleTypes returns the moduledata of the module of the function that starts at
// entry, and the types of that and of _func, by name.
func moduleTypes(entry uintptr) (data uintptr, types map[string]reflect.Type, err error) {
	v, err := moduledataOf(entry)
	if err != nil {
		return 0, nil, err
	}
	frame, _ := reflect.TypeFor[runtime.Frame]().FieldByName("funcInfo")
	fn, ok := frame.Type.FieldByName("_func")
	if !ok || fn.Type.Kind() != reflect.Pointer {
		return 0, nil, &discoveryError{"runtime.Frame.funcInfo", "a pointer to a _func", "none"}
	}
	return v.Pointer(), map[string]reflect.Type{"moduledata": v.Type().Elem(), "_func": fn.Type.Elem()}, nil
}
