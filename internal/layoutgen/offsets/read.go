package offsets

import (
	"debug/dwarf"
	"debug/elf"
	"errors"
	"fmt"
	"strings"
)

// A Table has a value for each of Fields, by Field.Name. Absent tells the fields
// that the release does not have: Table gives those the value of their Else.
type Table struct {
	Value  map[string]int64
	Absent map[string]bool
}

var (
	// ErrNoDWARF is matched by the error for a file that has no DWARF: no ELF
	// file, or one linked with -w.
	ErrNoDWARF = errors.New("offsets: no DWARF")

	// ErrMissing is the sentinel that every *MissingError matches.
	ErrMissing = errors.New("offsets: not in the DWARF")
)

// A MissingError names something of Fields that an executable doesn't have. It
// matches ErrMissing.
type MissingError struct{ Field Field }

func (e *MissingError) Error() string {
	return fmt.Sprintf("offsets: %s (for %s) is not in the DWARF", e.Field.Path, e.Field.Name)
}

// Is reports whether target is ErrMissing.
func (e *MissingError) Is(target error) bool { return target == ErrMissing }

// Read returns the values of fields in the Go executable at path.
func Read(path string, fields []Field) (Table, error) {
	f, err := elf.Open(path)
	if err != nil {
		return Table{}, fmt.Errorf("%w in %s: %w", ErrNoDWARF, path, err)
	}
	defer f.Close()
	data, err := f.DWARF()
	if err != nil {
		return Table{}, fmt.Errorf("%w in %s: %w", ErrNoDWARF, path, err)
	}
	all, err := scan(data)
	if err != nil {
		return Table{}, fmt.Errorf("%w in %s: %w", ErrNoDWARF, path, err)
	}
	if len(all) == 0 {
		return Table{}, fmt.Errorf("%w in %s", ErrNoDWARF, path)
	}
	return pick(all, fields)
}

// pick takes from all, by path, what fields ask for.
func pick(all map[string]int64, fields []Field) (Table, error) {
	t := Table{Value: map[string]int64{}, Absent: map[string]bool{}}
	for _, f := range fields {
		v, ok := all[f.Path]
		if !ok {
			if v, ok = t.Value[f.Else]; !ok {
				return Table{}, &MissingError{f}
			}
			t.Absent[f.Name] = true
		}
		t.Value[f.Name] = v
	}
	return t, nil
}

// structs are the types whose fields scan collects.
var structs = []string{"runtime.g", "runtime.m", "runtime.p", "runtime.sudog", "runtime.coro",
	"runtime._func", "runtime.moduledata"}

func isField(path string) bool {
	for _, s := range structs {
		if strings.HasPrefix(path, s+".") {
			return true
		}
	}
	return false
}

// scan returns the offsets of all fields of structs, those of nested structs
// too, and the integer constants of the runtime, by path.
func scan(data *dwarf.Data) (map[string]int64, error) {
	all := map[string]int64{}
	r := data.Reader()
	for {
		e, err := r.Next()
		if err != nil {
			return nil, err
		}
		if e == nil {
			return all, nil
		}
		name, _ := e.Val(dwarf.AttrName).(string)
		switch {
		case e.Tag == dwarf.TagCompileUnit:
			continue // its children are what is looked for
		case e.Tag == dwarf.TagConstant && strings.HasPrefix(name, "runtime."):
			if v, ok := e.Val(dwarf.AttrConstValue).(int64); ok {
				all[name] = v
			}
		case e.Tag == dwarf.TagStructType && isField(name+"."):
			t, err := data.Type(e.Offset)
			if err != nil {
				return nil, err
			}
			if st, ok := t.(*dwarf.StructType); ok {
				addFields(all, name, 0, st)
			}
		}
		r.SkipChildren()
	}
}

func addFields(all map[string]int64, path string, base int64, st *dwarf.StructType) {
	for _, f := range st.Field {
		all[path+"."+f.Name] = base + f.ByteOffset
		t := f.Type
		if td, ok := t.(*dwarf.TypedefType); ok {
			t = td.Type
		}
		if nested, ok := t.(*dwarf.StructType); ok {
			addFields(all, path+"."+f.Name, base+f.ByteOffset, nested)
		}
	}
}
