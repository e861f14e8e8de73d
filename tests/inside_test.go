package tests

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"
	"text/template"

	"github.com/stretchr/testify/require"
)

// suspender yields inside its methods, which other people's code calls.
type suspender struct {
	yield func()
	word  string
}

func (s suspender) String() string { s.yield(); return s.word }

func (s suspender) MarshalJSON() ([]byte, error) { s.yield(); return json.Marshal(s.word) }

type byYield struct {
	sort.IntSlice
	yield func()
}

func (b byYield) Less(i, j int) bool { b.yield(); return b.IntSlice.Less(i, j) }

// insides suspend at least once inside a call that knows nothing of it, and
// return what the call made, and what it should have made.
var insides = []struct {
	name string
	body func(dir string, yield func()) (got, want any)
}{
	{"interface method", func(_ string, yield func()) (any, any) {
		var s fmt.Stringer = suspender{yield, "deep"}
		return s.String(), "deep"
	}},
	{"closure", func(_ string, yield func()) (any, any) {
		sum := 0
		add := func(n int) { yield(); sum += n }
		for i := range 5 {
			add(i)
		}
		return sum, 10
	}},
	{"fmt", func(_ string, yield func()) (any, any) {
		return fmt.Sprintf("%s %v %q", suspender{yield, "a"}, suspender{yield, "b"}, suspender{yield, "c"}), `a b "c"`
	}},
	{"sort.Slice", func(_ string, yield func()) (any, any) {
		got := []int{5, 2, 9, 1, 7, 3}
		sort.Slice(got, func(i, j int) bool { yield(); return got[i] < got[j] })
		return got, []int{1, 2, 3, 5, 7, 9}
	}},
	{"sort.Sort", func(_ string, yield func()) (any, any) {
		got := []int{3, 1, 2}
		sort.Sort(byYield{got, yield})
		return got, []int{1, 2, 3}
	}},
	{"slices.SortFunc", func(_ string, yield func()) (any, any) {
		got := []string{"c", "a", "b"}
		slices.SortFunc(got, func(a, b string) int { yield(); return strings.Compare(a, b) })
		return got, []string{"a", "b", "c"}
	}},
	{"filepath.WalkDir", func(dir string, yield func()) (any, any) {
		var got []string
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			yield()
			got = append(got, d.Name())
			return err
		})
		return append(got, fmt.Sprint(err)), []string{filepath.Base(dir), "a", "b", "c", "d", "<nil>"}
	}},
	{"reflect.Value.Call", func(_ string, yield func()) (any, any) {
		f := reflect.ValueOf(func(a int, b string) string { yield(); return fmt.Sprint(a, b) })
		return f.Call([]reflect.Value{reflect.ValueOf(4), reflect.ValueOf("x")})[0].String(), "4x"
	}},
	{"reflect.MakeFunc", func(_ string, yield func()) (any, any) {
		double := reflect.MakeFunc(reflect.TypeFor[func(int) int](), func(args []reflect.Value) []reflect.Value {
			yield()
			return []reflect.Value{reflect.ValueOf(2 * int(args[0].Int()))}
		}).Interface().(func(int) int)
		return double(21), 42
	}},
	{"reflect method value", func(_ string, yield func()) (any, any) {
		m := reflect.ValueOf(suspender{yield, "m"}).MethodByName("String").Interface().(func() string)
		return m(), "m"
	}},
	{"deferred call", func(_ string, yield func()) (any, any) {
		var got []int
		func() {
			for i := range 3 {
				defer func() { yield(); got = append(got, i) }()
			}
			yield()
		}()
		return got, []int{2, 1, 0}
	}},
	{"deferred call of a panic", func(_ string, yield func()) (any, any) {
		var got []any
		func() {
			defer func() { yield(); got = append(got, recover()); yield() }()
			defer func() { yield(); got = append(got, "first") }()
			panic("value")
		}()
		return got, []any{"first", "value"}
	}},
	{"range over func", func(_ string, yield func()) (any, any) {
		var count iter.Seq[int] = func(visit func(int) bool) {
			for i := 0; visit(i); i++ {
				yield()
			}
		}
		var got []int
		for i := range count {
			yield()
			if i == 3 {
				break
			}
			got = append(got, i)
		}
		return got, []int{0, 1, 2}
	}},
	{"text/template", func(_ string, yield func()) (any, any) {
		funcs := template.FuncMap{"pause": func(s string) string { yield(); return "<" + s + ">" }}
		var out bytes.Buffer
		err := template.Must(template.New("").Funcs(funcs).Parse(`{{range .}}{{pause .}}{{end}}`)).Execute(&out, []string{"a", "b"})
		return fmt.Sprint(out.String(), err), "<a><b><nil>"
	}},
	{"encoding/json", func(_ string, yield func()) (any, any) {
		got, err := json.Marshal(map[string]any{"k": suspender{yield, "v"}})
		return fmt.Sprint(string(got), err), `{"k":"v"}<nil>`
	}},
	{"regexp", func(_ string, yield func()) (any, any) {
		re := regexp.MustCompile(`[a-c]`)
		return re.ReplaceAllStringFunc("xaybzc", func(s string) string { yield(); return strings.ToUpper(s) }), "xAyBzC"
	}},
	{"sync.Once", func(_ string, yield func()) (any, any) {
		return sync.OnceValue(func() int { yield(); return 7 })(), 7
	}},
	{"sync.Map", func(_ string, yield func()) (any, any) {
		var m sync.Map
		m.Store("k", 1)
		sum := 0
		m.Range(func(_, v any) bool { yield(); sum += v.(int); return true })
		return sum, 1
	}},
	{"bufio.Scanner", func(_ string, yield func()) (any, any) {
		var got []string
		sc := bufio.NewScanner(strings.NewReader("a b"))
		sc.Split(func(data []byte, atEOF bool) (int, []byte, error) { yield(); return bufio.ScanWords(data, atEOF) })
		for sc.Scan() {
			got = append(got, sc.Text())
		}
		return got, []string{"a", "b"}
	}},
	{"iterating over a map", func(_ string, yield func()) (any, any) {
		m := map[int]string{}
		for i := range 100 {
			m[i] = fmt.Sprint(i)
		}
		seen := 0
		for k, v := range m {
			yield()
			if v == fmt.Sprint(k) {
				seen++
			}
		}
		return seen, 100
	}},
	{"holding a mutex", func(_ string, yield func()) (any, any) {
		var mu sync.RWMutex
		mu.Lock()
		yield()
		mu.Unlock()
		mu.RLock()
		yield()
		mu.RUnlock()
		return mu.TryLock(), true
	}},
}

func TestSuspendInside(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"b", "a", "d"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
	}
	require.NoError(t, os.Mkdir(filepath.Join(dir, "c"), 0o700))
	eachRunner(t, func(t *testing.T, r runner) {
		for _, in := range insides {
			t.Run(in.name, func(t *testing.T) {
				var got, want any
				resume := r.start(t, func(yield func()) { got, want = in.body(dir, yield) })
				n := 0
				suspensions := drain(resume, func() {
					if n++; n <= 4 {
						look()
					}
				})
				require.Positive(t, suspensions)
				require.Equal(t, want, got)
			})
		}
	})
}

// TestSuspendInsideNested has each body own the next one.
func TestSuspendInsideNested(t *testing.T) {
	eachRunner(t, func(t *testing.T, r runner) {
		if r.name == "coro/static" {
			t.Skip("there is one static stack; nesting needs one for each level")
		}
		const levels = 12
		var order []int
		var nest func(level int) func(yield func())
		nest = func(level int) func(yield func()) {
			return func(yield func()) {
				if level < levels {
					inner := r.start(t, nest(level+1))
					drain(inner, yield)
				}
				yield()
				order = append(order, level)
			}
		}
		suspensions := drain(r.start(t, nest(1)), look)
		require.Equal(t, levels, suspensions)
		require.True(t, slices.IsSortedFunc(order, func(a, b int) int { return b - a }), "ends %v, inner first", order)
	})
}
