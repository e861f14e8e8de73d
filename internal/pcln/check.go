package pcln

// check checks every table of f for what the methods of Func rely on.
func (f *Func) check() *FormatError {
	t := f.t
	if err := t.walk(f, le.Uint32(f.record[recFiles:]), f.checkFile); err != nil {
		return err
	}
	anything := func(Span) *FormatError { return nil }
	for _, table := range []int{recDepths, recLines} {
		if err := t.walk(f, le.Uint32(f.record[table:]), anything); err != nil {
			return err
		}
	}
	for i := range int(le.Uint32(f.record[recTables:])) {
		if err := t.walk(f, f.table(i), anything); err != nil {
			return err
		}
	}
	return f.checkInlined()
}

// checkFile checks the number of a file.
func (f *Func) checkFile(s Span) *FormatError {
	if s.Value < 0 {
		return nil
	}
	off, ok := f.fileOffset(s.Value)
	if !ok {
		return formatf("file %d, which its package does not have", s.Value)
	}
	if off == absent {
		return nil
	}
	_, err := f.t.files.add(off)
	return err
}

// checkInlined checks the inline tree. Each entry that the index names has to be
// there, and the way from it to f has to be short.
func (f *Func) checkInlined() *FormatError {
	l := &lines{}
	var ok bool
	if l.tree, ok = f.FuncData(InlTree); !ok {
		return nil
	}
	l.inlined = f.PCData(InlTreeIndex)
	depths := map[int]int{-1: 0} // how many inlined calls are active in an entry
	var path []int
	for _, s := range l.inlined {
		i := s.Value
		for path = path[:0]; ; {
			if _, ok := depths[i]; ok {
				break
			}
			if len(path) == maxInlined {
				return limitf(maxInlined, "%d or more inlined calls within one another", len(path)+1)
			}
			path = append(path, i)
			parent, err := f.checkEntry(l, i)
			if err != nil {
				return err
			}
			i = inlinedAt(l, parent)
		}
		d := depths[i]
		for j := len(path) - 1; j >= 0; j-- {
			if d++; d > maxInlined {
				return limitf(maxInlined, "%d inlined calls within one another", d)
			}
			depths[path[j]] = d
		}
	}
	return nil
}

// checkEntry checks entry i of the inline tree and returns its parent.
func (f *Func) checkEntry(l *lines, i int) (uint64, *FormatError) {
	var e []byte
	if i >= 0 {
		e = f.t.inlined(l, i)
	}
	if e == nil {
		return 0, formatf("inlined call %d of the tree at %#x", i, l.tree)
	}
	if _, err := f.t.names.add(le.Uint32(e[inlinedName:])); err != nil {
		return 0, err
	}
	parent := uint64(le.Uint32(e[inlinedParent:]))
	if parent >= f.End-f.Entry {
		return 0, formatf("the caller of inlined call %d at offset %#x of %#x", i, parent, f.End-f.Entry)
	}
	return f.Entry + parent, nil
}
