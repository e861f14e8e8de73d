package pcln

import (
	"fmt"
	"io"
	"os"
	"sort"
	"sync"
	"sync/atomic"
)

// A Table is the function table of a program. Goroutines may use it together.
type Table struct {
	Image *Image
	Funcs []*Func // in the order of their addresses; do not change

	m            *module
	names, files *stringTable
	byName       func() map[string][]*Func
}

// A Func is a function of the program: a piece of its text. What the compiler
// inlined everywhere has none.
type Func struct {
	Entry, End uint64 // addresses of the first byte of its text, and of the first after it and its padding
	Name       string // as the linker knows it: "path/to/pkg.(*T).Method.func1"
	StartLine  int    // the line of its func or TEXT
	ID         FuncID
	Flags      FuncFlags

	// Args is the number of bytes that its arguments and results take in its
	// caller's frame, or UnknownArgs.
	Args int

	// DeferReturn is the address of its call of runtime.deferreturn, which a
	// recovered panic returns to, or 0.
	DeferReturn uint64

	t      *Table
	record []byte // of the pclntab: the fixed part, then offsets of span tables and data
	cached atomic.Pointer[lines]
}

// UnknownArgs is Func.Args of assembly that does not say how many bytes it takes.
const UnknownArgs = -0x80000000

// FuncFlags are properties of a function.
type FuncFlags uint8

const (
	TopFrame FuncFlags = 1 << iota // has no caller: unwinding ends here
	SPWrite                        // sets SP to a value that depths do not tell
	Assembly                       // comes from an assembly file
)

// A FuncID tells functions that the runtime treats in a way of their own.
type FuncID uint8

// The numbers are the same in Go 1.25, 1.26 and 1.27.
const (
	Normal FuncID = iota
	Abort
	Asmcgocall
	AsyncPreempt
	Cgocallback
	Corostart
	DebugCallV2
	GCBgMarkWorker
	Goexit
	Gogo
	Gopanic
	HandleAsyncEvent
	Mcall
	Morestack
	Mstart
	Panicwrap
	RT0Go
	RuntimeMain
	RunFinalizers
	RunCleanups
	Sigpanic
	Systemstack
	SystemstackSwitch
	Wrapper // generated code: method wrappers, hash and equality functions
)

// Span tables of PCData, and data of FuncData. A release may add some.
const (
	UnsafePoints  = 0
	StackMapIndex = 1
	InlTreeIndex  = 2
	ArgLiveIndex  = 3
	PanicBounds   = 4 // from Go 1.26

	ArgsPointerMaps     = 0
	LocalsPointerMaps   = 1
	StackObjects        = 2
	InlTree             = 3
	OpenCodedDeferInfo  = 4
	ArgInfo             = 5
	ArgLiveInfo         = 6
	WrapInfo            = 7
	absent              = ^uint32(0)
	maxSpanTables       = 32
	maxFileSize         = 1 << 31
	recordSize          = 44
	functabEntry        = 8
	recName, recArgs    = 4, 8
	recDeferReturn      = 12
	recDepths, recFiles = 16, 20
	recLines, recTables = 24, 28
	recCU, recStartLine = 32, 36
	recID, recFlags     = 40, 41
	recData             = 43
)

// Open reads the program in the named file.
func Open(name string) (*Table, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFileSize+1))
	if err != nil {
		return nil, err
	}
	t, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return t, nil
}

// Parse reads the program in an ELF file with this content. The table keeps
// file, and Parse writes to it: it does the loader's relocations there.
func Parse(file []byte) (*Table, error) {
	if uint64(len(file)) > maxFileSize {
		return nil, limitf(maxFileSize, "a file of %d bytes", len(file))
	}
	im, err := parseImage(file)
	if err != nil {
		return nil, err
	}
	m, err := im.findModule()
	if err != nil {
		return nil, err
	}
	t := &Table{Image: im, m: m, names: newStringTable(m.names), files: newStringTable(m.files)}
	t.byName = sync.OnceValue(t.index)
	if err := t.readFuncs(); err != nil {
		return nil, err
	}
	for _, f := range t.Funcs {
		if err := f.check(); err != nil {
			err.Func = f.Name
			return nil, err
		}
	}
	return t, nil
}

// readFuncs reads the list of functions.
func (t *Table) readFuncs() error {
	tab, n := t.m.functab, t.m.nfunc
	if most := uint64(len(tab)) / (functabEntry + recordSize); n == 0 || n > most {
		return formatf("%d functions in a table of %d bytes", n, len(tab))
	}
	t.Funcs = make([]*Func, n)
	funcs := make([]Func, n)
	for i := range funcs {
		e := tab[i*functabEntry:]
		off, record, next := uint64(le.Uint32(e)), uint64(le.Uint32(e[4:])), uint64(le.Uint32(e[functabEntry:]))
		f := &funcs[i]
		t.Funcs[i] = f
		if err := f.read(t, off, record, next); err != nil {
			return err
		}
		if i > 0 && f.Entry < funcs[i-1].End {
			return formatf("the text of %s begins at %#x, before that of %s ends", f.Name, f.Entry, funcs[i-1].Name)
		}
	}
	return nil
}

// read fills in f, which has its text at offsets off to next.
func (f *Func) read(t *Table, off, record, next uint64) error {
	b, ok := part(t.m.functab, record, recordSize)
	if !ok {
		return formatf("the record of a function at %d of %d", record, len(t.m.functab))
	}
	n := le.Uint32(b[recTables:])
	if n > maxSpanTables {
		return limitf(maxSpanTables, "a function with %d span tables", n)
	}
	if b, ok = part(t.m.functab, record, recordSize+4*uint64(n)+4*uint64(b[recData])); !ok {
		return formatf("the record of a function at %d of %d", record, len(t.m.functab))
	}
	name, err := t.names.add(le.Uint32(b[recName:]))
	if err != nil {
		return err
	}
	entry, ok := t.m.addr(off)
	end := entry
	if ok && next > off {
		end, ok = t.m.addr(next - 1) // in the same section, unlike next
		end++
	}
	if !ok || next < off || end < entry {
		return formatf("text with offsets %#x to %#x of function %s", off, next, name)
	}
	f.Entry, f.End, f.Name = entry, end, name
	f.StartLine = int(int32(le.Uint32(b[recStartLine:])))
	f.ID, f.Flags = FuncID(b[recID]), FuncFlags(b[recFlags])
	f.Args = int(int32(le.Uint32(b[recArgs:])))
	f.t, f.record = t, b
	if d := le.Uint32(b[recDeferReturn:]); d != 0 {
		if uint64(d) >= end-entry {
			return formatf("a call of deferreturn at %#x in %d bytes of function %s", d, end-entry, name)
		}
		f.DeferReturn = entry + uint64(d)
	}
	return nil
}

// Find returns the function that has pc in its text, or nil.
func (t *Table) Find(pc uint64) *Func {
	i := sort.Search(len(t.Funcs), func(i int) bool { return t.Funcs[i].End > pc })
	if i == len(t.Funcs) || pc < t.Funcs[i].Entry {
		return nil
	}
	return t.Funcs[i]
}

// Entry returns the function that begins at pc, or nil.
func (t *Table) Entry(pc uint64) *Func {
	if f := t.Find(pc); f != nil && f.Entry == pc {
		return f
	}
	return nil
}

// Lookup returns the functions of that name. There may be several: an assembly
// function and its wrapper for the other calling convention share one.
func (t *Table) Lookup(name string) []*Func { return t.byName()[name] }

func (t *Table) index() map[string][]*Func {
	m := make(map[string][]*Func, len(t.Funcs))
	for _, f := range t.Funcs {
		m[f.Name] = append(m[f.Name], f)
	}
	return m
}

// Text returns the function's instructions and padding. The caller must not
// change them.
func (f *Func) Text() []byte { return f.t.Image.Bytes(f.Entry, f.End-f.Entry) }

// Depth returns the depth at the instruction at pc. It returns false where the
// table has none: in padding, and in functions without any depths.
func (f *Func) Depth(pc uint64) (int, bool) { return at(f.lines().depths, pc) }

// Depths returns the function's depths. The caller must not change them.
func (f *Func) Depths() []Span { return f.lines().depths }

// MaxDepth returns the greatest depth in the function.
func (f *Func) MaxDepth() int {
	m := 0
	for _, s := range f.Depths() {
		m = max(m, s.Value)
	}
	return m
}

// PCData returns span table i: UnsafePoints and so on. It returns nil where the
// function has none.
func (f *Func) PCData(i int) []Span { return f.t.spans(f, f.table(i)) }

// table returns the offset of span table i, 0 if there is none.
func (f *Func) table(i int) uint32 {
	if i < 0 || i >= int(le.Uint32(f.record[recTables:])) {
		return 0
	}
	return le.Uint32(f.record[recordSize+4*i:])
}

// FuncData returns the address of data i of the function: StackObjects and so on.
// It returns false where the function has none. The address may lie outside the
// image: nothing says how long such data is.
func (f *Func) FuncData(i int) (uint64, bool) {
	if i < 0 || i >= int(f.record[recData]) {
		return 0, false
	}
	off := le.Uint32(f.record[recordSize+4*int(le.Uint32(f.record[recTables:]))+4*i:])
	if off == absent {
		return 0, false
	}
	return f.t.m.gofunc + uint64(off), true
}
