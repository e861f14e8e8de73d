package testsupport

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
)

// ErrCall is the sentinel of a HotCall that is not in the source.
var ErrCall = errors.New("testsupport: no such call")

// A HotCall is a call for a profile to find hot.
type HotCall struct {
	Caller string // its name within the package: copystack, (*Task).Yield
	Callee string // as the caller writes it, the last name of it: stackalloc
	Target string // what is called, by its full name; empty: Callee, in the same package
}

// HotProfile returns a CPU profile, as go build -pgo takes it, in which the program did
// nothing but these calls: the functions of package pkg, with its source in the folder
// dir. Each call of Callee in Caller counts.
func HotProfile(dir, pkg string, calls ...HotCall) ([]byte, error) {
	files := token.NewFileSet()
	parsed, err := parseDir(files, dir)
	if err != nil {
		return nil, err
	}
	var p profile
	for _, call := range calls {
		found := 0
		for _, file := range parsed {
			for _, d := range file.Decls {
				fn, ok := d.(*ast.FuncDecl)
				if !ok || fn.Body == nil || funcName(fn) != call.Caller {
					continue
				}
				target := call.Target
				if target == "" {
					target = pkg + "." + call.Callee
				}
				start := files.Position(fn.Pos())
				ast.Inspect(fn.Body, func(n ast.Node) bool {
					if c, ok := n.(*ast.CallExpr); ok && calledName(c) == call.Callee {
						found++
						p.add(pkg+"."+call.Caller, filepath.Base(start.Filename), start.Line, files.Position(c.Lparen).Line, target)
					}
					return true
				})
			}
		}
		if found == 0 {
			return nil, fmt.Errorf("%w: of %s in %s.%s", ErrCall, call.Callee, pkg, call.Caller)
		}
	}
	return p.encode()
}

// parseDir parses the Go files in dir but the tests, in the order of their names.
func parseDir(files *token.FileSet, dir string) ([]*ast.File, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	var list []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(files, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		list = append(list, file)
	}
	return list, nil
}

// HotParameters returns a CPU profile of package pkg, in the folder dir. In it, each
// function with a parameter of func type does nothing but call that parameter: once for
// each function that the package passes by name.
func HotParameters(dir, pkg string) ([]byte, error) {
	files := token.NewFileSet()
	parsed, err := parseDir(files, dir)
	if err != nil {
		return nil, err
	}
	given := map[string]map[int]map[string]bool{} // function → parameter → what it is given
	each := func(visit func(file *ast.File, fn *ast.FuncDecl)) {
		for _, file := range parsed {
			for _, d := range file.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil {
					visit(file, fn)
				}
			}
		}
	}
	each(func(file *ast.File, fn *ast.FuncDecl) {
		ast.Inspect(fn.Body, func(n ast.Node) bool {
			c, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			name := calledName(c)
			for i, arg := range c.Args {
				if target := fullName(file, pkg, arg); target != "" {
					if given[name] == nil {
						given[name] = map[int]map[string]bool{}
					}
					if given[name][i] == nil {
						given[name][i] = map[string]bool{}
					}
					given[name][i][target] = true
				}
			}
			return true
		})
	})
	var p profile
	each(func(_ *ast.File, fn *ast.FuncDecl) {
		start := files.Position(fn.Pos())
		parameters := map[string]int{}
		i := 0
		for _, field := range fn.Type.Params.List {
			_, isFunc := field.Type.(*ast.FuncType)
			for _, name := range field.Names {
				if isFunc {
					parameters[name.Name] = i
				}
				i++
			}
		}
		ast.Inspect(fn.Body, func(n ast.Node) bool {
			c, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			id, ok := c.Fun.(*ast.Ident)
			if !ok {
				return true
			}
			i, ok := parameters[id.Name]
			if !ok {
				return true
			}
			for target := range given[fn.Name.Name][i] {
				p.add(pkg+"."+funcName(fn), filepath.Base(start.Filename), start.Line, files.Position(c.Lparen).Line, target)
			}
			return true
		})
	})
	if p.last == 0 {
		return nil, fmt.Errorf("%w: of a parameter in %s", ErrCall, pkg)
	}
	return p.encode()
}

// fullName returns the name that a profile has for the function that x names, as
// f, (*T).f or pkg.T.f; empty if it is anything else.
func fullName(file *ast.File, pkg string, x ast.Expr) string {
	switch x := x.(type) {
	case *ast.Ident:
		return pkg + "." + x.Name
	case *ast.SelectorExpr:
		t, format := x.X, "%s.%s.%s"
		if paren, ok := t.(*ast.ParenExpr); ok {
			star, ok := paren.X.(*ast.StarExpr)
			if !ok {
				return ""
			}
			t, format = star.X, "%s.(*%s).%s"
		}
		switch t := t.(type) {
		case *ast.Ident:
			return fmt.Sprintf(format, pkg, t.Name, x.Sel.Name)
		case *ast.SelectorExpr:
			from, ok := t.X.(*ast.Ident)
			if !ok {
				return ""
			}
			for _, imported := range file.Imports {
				if path, err := strconv.Unquote(imported.Path.Value); err == nil && (path == from.Name || strings.HasSuffix(path, "/"+from.Name)) {
					return fmt.Sprintf(format, path, t.Sel.Name, x.Sel.Name)
				}
			}
		}
	}
	return ""
}

func funcName(fn *ast.FuncDecl) string {
	if fn.Recv == nil {
		return fn.Name.Name
	}
	switch t := fn.Recv.List[0].Type.(type) {
	case *ast.StarExpr:
		if id, ok := t.X.(*ast.Ident); ok {
			return "(*" + id.Name + ")." + fn.Name.Name
		}
	case *ast.Ident:
		return t.Name + "." + fn.Name.Name
	}
	return ""
}

func calledName(c *ast.CallExpr) string {
	switch f := c.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

// A profile is a message of profile.proto (github.com/google/pprof) in the making.
type profile struct {
	body    bytes.Buffer
	strings []string
	last    uint64 // of the locations, which are functions as well
}

// add has a sample in callee, called by caller, a function that starts at start, in line.
func (p *profile) add(caller, file string, start, line int, callee string) {
	leaf := p.location(callee, file, 1, 1)
	root := p.location(caller, file, start, line)
	const weight = 1_000_000
	p.message(2, func(m *message) { // sample
		m.packed(1, leaf, root)
		m.packed(2, weight, weight)
	})
}

func (p *profile) location(name, file string, start, line int) (id uint64) {
	p.last++
	id = p.last
	p.message(4, func(m *message) { // location
		m.number(1, id)
		var l message
		l.number(1, id)
		l.number(2, uint64(line))
		m.bytes(4, l)
	})
	p.message(5, func(m *message) { // function
		m.number(1, id)
		m.number(2, p.text(name))
		m.number(3, p.text(name))
		m.number(4, p.text(file))
		m.number(5, uint64(start))
	})
	return id
}

func (p *profile) text(s string) uint64 {
	if p.strings == nil {
		p.strings = []string{""}
	}
	p.strings = append(p.strings, s)
	return uint64(len(p.strings) - 1)
}

func (p *profile) message(field int, fill func(m *message)) {
	var m, outer message
	fill(&m)
	outer.bytes(field, m)
	p.body.Write(outer)
}

func (p *profile) encode() ([]byte, error) {
	for _, t := range [][2]string{{"samples", "count"}, {"cpu", "nanoseconds"}} {
		p.message(1, func(m *message) { // sample type
			m.number(1, p.text(t[0]))
			m.number(2, p.text(t[1]))
		})
	}
	for _, s := range p.strings {
		var outer message
		outer.bytes(6, message(s))
		p.body.Write(outer)
	}
	var out bytes.Buffer
	zw := gzip.NewWriter(&out)
	if _, err := zw.Write(p.body.Bytes()); err != nil {
		return nil, err
	}
	if err := zw.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// A message is one of a protocol buffer.
type message []byte

func (m *message) varint(v uint64) {
	for ; v >= 0x80; v >>= 7 {
		*m = append(*m, byte(v)|0x80)
	}
	*m = append(*m, byte(v))
}

func (m *message) number(field int, v uint64) {
	m.varint(uint64(field) << 3)
	m.varint(v)
}

func (m *message) bytes(field int, b message) {
	m.varint(uint64(field)<<3 | 2)
	m.varint(uint64(len(b)))
	*m = append(*m, b...)
}

func (m *message) packed(field int, values ...uint64) {
	var b message
	for _, v := range values {
		b.varint(v)
	}
	m.bytes(field, b)
}
