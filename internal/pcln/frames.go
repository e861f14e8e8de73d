package pcln

// A Frame is a function that is active at an instruction, and where in it.
type Frame struct {
	Func      string // the function's name
	StartLine int    // the line of its func or TEXT
	ID        FuncID

	// File and Line say where in the source the instruction is: the innermost
	// frame's own place, in the others that of the call that is inlined.
	File string
	Line int

	// PC is the instruction that has this place: the one asked for in the
	// innermost frame, in the others one that stands for the inlined call.
	PC uint64
}

// lines has the decoded tables of a function.
type lines struct {
	depths, files, nums, inlined []Span
	tree                         uint64
}

const (
	inlinedSize   = 16
	inlinedID     = 0
	inlinedName   = 4
	inlinedParent = 8
	inlinedStart  = 12

	maxInlined = 1000
	noFile     = "?"
)

// lines returns the decoded tables. Two goroutines may decode them at once.
func (f *Func) lines() *lines {
	if l := f.cached.Load(); l != nil {
		return l
	}
	l := &lines{
		depths: f.t.spans(f, le.Uint32(f.record[recDepths:])),
		files:  f.t.spans(f, le.Uint32(f.record[recFiles:])),
		nums:   f.t.spans(f, le.Uint32(f.record[recLines:])),
	}
	var ok bool
	if l.tree, ok = f.FuncData(InlTree); ok {
		l.inlined = f.PCData(InlTreeIndex)
	}
	f.cached.Store(l)
	return l
}

// Frames returns the functions that are active at the instruction at pc: first
// f, then what is inlined, outermost first. For a pc outside of f it returns nil.
//
// The file of the innermost function's declaration is that of its Frame, unless
// a //line directive lies between.
func (f *Func) Frames(pc uint64) []Frame {
	if pc < f.Entry || pc >= f.End {
		return nil
	}
	l := f.lines()
	n := 1
	for i := inlinedAt(l, pc); i >= 0; i = inlinedAt(l, f.parent(l, i)) {
		n++
	}
	all := make([]Frame, n)
	for n--; n > 0; n-- {
		e := f.t.inlined(l, inlinedAt(l, pc))
		fr := &all[n]
		fr.Func = f.t.names.get(le.Uint32(e[inlinedName:]))
		fr.StartLine, fr.ID = int(int32(le.Uint32(e[inlinedStart:]))), FuncID(e[inlinedID])
		fr.File, fr.Line, fr.PC = f.file(l, pc), line(l, pc), pc
		pc = f.Entry + uint64(le.Uint32(e[inlinedParent:]))
	}
	all[0] = Frame{f.Name, f.StartLine, f.ID, f.file(l, pc), line(l, pc), pc}
	return all
}

// FileLine returns the place in the source of the instruction at pc: that of the
// innermost frame. The file is "?" where the table has none.
func (f *Func) FileLine(pc uint64) (file string, num int) {
	l := f.lines()
	return f.file(l, pc), line(l, pc)
}

// File returns the file that declares the function, "?" if the table has none.
func (f *Func) File() string {
	if f.Entry == f.End {
		return noFile
	}
	return f.Frames(f.Entry)[0].File
}

func line(l *lines, pc uint64) int {
	n, ok := at(l.nums, pc)
	if !ok {
		return 0
	}
	return n
}

func (f *Func) file(l *lines, pc uint64) string {
	n, ok := at(l.files, pc)
	if !ok || n < 0 {
		return noFile
	}
	off, _ := f.fileOffset(n)
	if off == absent {
		return noFile
	}
	return f.t.files.get(off)
}

// fileOffset returns where in the table of files the name of file n is, in the
// numbering of the package that f is from.
func (f *Func) fileOffset(n int) (uint32, bool) {
	b, ok := part(f.t.m.cus, 4*(uint64(le.Uint32(f.record[recCU:]))+uint64(n)), 4)
	if !ok {
		return absent, false
	}
	return le.Uint32(b), true
}

// inlinedAt returns the index in the inline tree of the innermost call at pc, or -1.
func inlinedAt(l *lines, pc uint64) int {
	i, _ := at(l.inlined, pc)
	return i
}

// inlined returns entry i of the inline tree at l.tree, or nil.
func (t *Table) inlined(l *lines, i int) []byte {
	return t.Image.Bytes(l.tree+inlinedSize*uint64(i), inlinedSize)
}

// parent returns the instruction that stands for the call that entry i inlines.
func (f *Func) parent(l *lines, i int) uint64 {
	return f.Entry + uint64(le.Uint32(f.t.inlined(l, i)[inlinedParent:]))
}
