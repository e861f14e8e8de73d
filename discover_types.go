//go:build linux && (amd64 || arm64) && !race && !msan && !asan && go1.25 && !go1.28

package stackhop

import (
	"fmt"
	"os"
	"reflect"
	"runtime"
	"sort"
	"strings"
	"unsafe"
)

// The layout files hold for a release as it is built by default. A GOEXPERIMENT, or a
// vendor's patch, moves fields. So each field that the kernel reads or writes is
// compared with the running program's own description of the type: the compiler
// emits one, with the names and offsets of all fields, for every type that the
// runtime allocates. newcoro allocates a coro, procresize a p; from coro the fields
// lead to m, g and sudog.

// A module is what the runtime's tables say of the file, program or shared library,
// that a function is in.
type module struct {
	types, etypes uintptr // the section of type descriptors
	text          uintptr
	ftab          uintptr // the table of functions, sorted by entry
	ftabLen       int
	ftabSize      uintptr // of an element, which begins with an offset from text
	next          reflect.Value
}

// moduleOf returns the module of the function that starts at entry. The runtime's
// tables are reached through the unexported part of a runtime.Frame, by the names of
// its fields; a release that has others makes this an error.
func moduleOf(entry uintptr) (mod module, err error) {
	v, err := moduledataOf(entry)
	if err != nil {
		return module{}, err
	}
	return readModule(v.Elem())
}

// moduledataOf returns the pointer to that module's moduledata.
func moduledataOf(entry uintptr) (v reflect.Value, err error) {
	frame, _ := runtime.CallersFrames([]uintptr{entry + 1}).Next()
	v = reflect.ValueOf(frame)
	for _, name := range []string{"funcInfo", "datap"} {
		if v = v.FieldByName(name); !v.IsValid() {
			return v, &discoveryError{"runtime.Frame", "a field funcInfo.datap", "no " + name}
		}
	}
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return v, &discoveryError{"runtime.Frame.funcInfo.datap", "a pointer to moduledata", v.Type().String()}
	}
	return v, nil
}

// readModule reads the moduledata v.
func readModule(v reflect.Value) (mod module, err error) {
	for _, f := range []struct {
		name string
		to   *uintptr
	}{{"types", &mod.types}, {"etypes", &mod.etypes}, {"text", &mod.text}} {
		field := v.FieldByName(f.name)
		if !field.IsValid() || field.Kind() != reflect.Uintptr {
			return module{}, &discoveryError{"runtime.moduledata", "an address " + f.name, "none"}
		}
		*f.to = uintptr(field.Uint())
	}
	tab := v.FieldByName("ftab")
	if !tab.IsValid() || tab.Kind() != reflect.Slice || tab.Type().Elem().Kind() != reflect.Struct ||
		tab.Type().Elem().NumField() == 0 || tab.Type().Elem().Field(0).Type.Kind() != reflect.Uint32 {
		return module{}, &discoveryError{"runtime.moduledata", "a table ftab of 32-bit offsets", "none"}
	}
	mod.ftab, mod.ftabLen, mod.ftabSize = tab.Pointer(), tab.Len(), tab.Type().Elem().Size()
	next := v.FieldByName("next")
	if !next.IsValid() || next.Type() != reflect.PointerTo(v.Type()) {
		return module{}, &discoveryError{"runtime.moduledata", "a list of them, next", "none"}
	}
	if !next.IsNil() {
		mod.next = next.Elem()
	}
	return mod, nil
}

// modules returns all modules of the process, one if there are no plugins: those from
// the program's own on. inPlugin is the module of newcoro. A plugin has a copy of the
// runtime's code, and shares its data: a func value is data, so it leads to the program,
// if that has the function.
func modules(inPlugin *module) (list []module, err error) {
	seen := map[uintptr]bool{}
	add := func(m module) error {
		for !seen[m.text] {
			seen[m.text] = true
			list = append(list, m)
			if !m.next.IsValid() {
				break
			}
			if m, err = readModule(m.next); err != nil {
				return err
			}
		}
		return nil
	}
	for _, f := range []any{runtime.Callers, runtime.FuncForPC, runtime.Gosched, runtime.KeepAlive, os.Exit, os.Getenv, fmt.Sprintf} {
		m, err := moduleOf(reflect.ValueOf(f).Pointer())
		if err != nil {
			return nil, err
		}
		if err := add(m); err != nil {
			return nil, err
		}
	}
	return list, add(*inPlugin)
}

// entry returns where the i-th function of m starts.
func (m *module) entry(i int) uintptr {
	return m.text + uintptr(peek32(m.ftab+uintptr(i)*m.ftabSize))
}

// near calls visit with each function of the runtime next to the one that starts at
// entry, until visit returns false: the linker lays a package's functions out side by
// side, unless it is told to shuffle them.
func (m *module) near(entry uintptr, visit func(name string, entry uintptr) bool) {
	at := sort.Search(m.ftabLen, func(i int) bool { return m.entry(i) >= entry })
	for _, step := range []int{-1, 1} {
		for i := at; i >= 0 && i < m.ftabLen; i += step {
			pc := m.entry(i)
			if name := funcAt(pc); !strings.HasPrefix(name, "runtime.") || !visit(name, pc) {
				break
			}
		}
	}
}

// function returns the entry of the function of the runtime called name, 0 if m has
// none. inRuntime is the entry of another.
func (m *module) function(inRuntime uintptr, name string) (found uintptr) {
	m.near(inRuntime, func(have string, entry uintptr) bool {
		if have == name {
			found = entry
		}
		return found == 0
	})
	for i := 0; i < m.ftabLen && found == 0; i++ {
		if pc := m.entry(i); funcAt(pc) == name {
			found = pc
		}
	}
	return found
}

// structType returns the type called name, runtime.coro, among the globals that
// c, in m, uses the addresses of: what c allocates is there.
func (m *module) structType(c code, name string) (reflect.Type, error) {
	globals, err := c.globals()
	if err != nil {
		return nil, err
	}
	all, err := modules(m)
	if err != nil {
		return nil, err
	}
	d := descriptors()
	for _, addr := range globals {
		for i := range all {
			if all[i].describes(&d, addr, name) {
				return typeAt(addr), nil
			}
		}
	}
	return nil, &discoveryError{"machine code of " + c.name(c.pc), "the address of type " + name,
		fmt.Sprintf("%d other addresses", len(globals))}
}

// A descriptor is where a type's description, internal/abi.Type, has some fields.
type descriptor struct{ size, kind, str, bytes uintptr }

// descriptors reads that off the type of a type.
func descriptors() (d descriptor) {
	t := reflect.TypeOf(reflect.TypeFor[int]()).Elem().Field(0).Type
	at := func(name string) uintptr {
		f, ok := t.FieldByName(name)
		if !ok {
			panic("no field " + name + " in " + t.String()) // guarded makes an error of it
		}
		return f.Offset
	}
	return descriptor{size: at("Size_"), kind: at("Kind_"), str: at("Str"), bytes: t.Size()}
}

// describes reports whether at addr there is the description of a struct type called
// name. It trusts nothing there: reflect would end the process if there were anything
// else.
func (m *module) describes(d *descriptor, addr uintptr, name string) bool {
	const kindMask = 31
	if addr%8 != 0 || addr < m.types || addr >= m.etypes || m.etypes-addr < d.bytes {
		return false
	}
	if reflect.Kind(peek8(addr+d.kind)&kindMask) != reflect.Struct {
		return false
	}
	// A name is a byte of flags, its length as a varint, and the text: that of the
	// pointer to the type, if both share it.
	str := m.types + uintptr(peek32(addr+d.str))
	if str >= m.etypes || m.etypes-str < uintptr(2+1+len(name)) {
		return false
	}
	n := uintptr(peek8(str + 1))
	return n <= uintptr(1+len(name)) && strings.TrimPrefix(string(peekText(str+2, int(n))), "*") == name
}

// typeAt returns the type that the description at addr is of.
//
// SAFETY(K2): describes has found one there; it lies in read-only data, which is
// never moved or freed. reflect.TypeOf looks at the first word of an any only.
//
//go:nocheckptr
func typeAt(addr uintptr) reflect.Type {
	word := [2]uintptr{addr, 0}
	return reflect.TypeOf(*(*any)(unsafe.Pointer(&word)))
}

// coroTypes returns the types of g, m, sudog and coro, by name.
func coroTypes(mod *module, newcoro uintptr) (map[string]reflect.Type, error) {
	coro, err := mod.structType(machineCode(newcoro), "runtime.coro")
	if err != nil {
		return nil, err
	}
	types := map[string]reflect.Type{"coro": coro}
	for _, step := range []struct{ from, field, to string }{
		{"coro", "mp", "m"}, {"m", "g0", "g"}, {"g", "waiting", "sudog"},
	} {
		f, ok := types[step.from].FieldByName(step.field)
		if !ok || f.Type.Kind() != reflect.Pointer || f.Type.Elem().String() != "runtime."+step.to {
			return nil, &discoveryError{"type runtime." + step.from, fmt.Sprintf("a field %s, of type *runtime.%s", step.field, step.to), "none"}
		}
		types[step.to] = f.Type.Elem()
	}
	return types, nil
}

// checkLayout holds the layout file against types: each field of a type that is
// there must be where the file says it is, and of that size.
func checkLayout(fields []layoutField, types map[string]reflect.Type) error {
	for _, f := range fields {
		t := types[f.typ]
		if t == nil {
			continue
		}
		offset, size, ok := locate(t, f.path)
		step := fmt.Sprintf("offset of runtime.%s.%s in this program", f.typ, f.path)
		switch {
		case f.absent && ok:
			return &discoveryError{step, "no such field", fmt.Sprint(offset)}
		case f.absent:
		case !ok:
			return &discoveryError{step, fmt.Sprint(f.offset), "no such field"}
		case offset != f.offset:
			return &discoveryError{step, fmt.Sprint(f.offset), fmt.Sprint(offset)}
		case f.size != 0 && size != f.size:
			return &discoveryError{"size of runtime." + f.typ + "." + f.path + " in this program", fmt.Sprint(f.size), fmt.Sprint(size)}
		}
	}
	return nil
}

// locate returns offset and size of the field at path, sched.sp, in t.
func locate(t reflect.Type, path string) (offset, size uintptr, ok bool) {
	for name := range strings.SplitSeq(path, ".") {
		if t.Kind() == reflect.String && name == "len" {
			return offset + unsafe.Offsetof(stringHeader{}.len), unsafe.Sizeof(stringHeader{}.len), true
		}
		if t.Kind() != reflect.Struct {
			return 0, 0, false
		}
		f, ok := t.FieldByName(name)
		if !ok || len(f.Index) != 1 {
			return 0, 0, false
		}
		offset, t = offset+f.Offset, f.Type
	}
	return offset, t.Size(), true
}

// A stringHeader is a string, as DWARF and the layout files name its parts.
type stringHeader struct {
	_   uintptr
	len int
}
