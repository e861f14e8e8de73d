package tests

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"html/template"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	texttemplate "text/template"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/guard"
)

// A chain is a value as deep as its length.
type chain struct {
	Next *chain
	N    int
}

func chainOf(n int) *chain {
	var c *chain
	for i := range n {
		c = &chain{c, i}
	}
	return c
}

func length(c *chain) (n int) {
	for ; c != nil; c = c.Next {
		n++
	}
	return n
}

// stdInputs are inputs that take the standard library deep, or to its limits. Each
// returns the text of what came out.
var stdInputs = []struct {
	name string
	run  func() string
}{
	{"json/arrays 320", func() string { return fromJSON(strings.Repeat("[", 320)) }},
	{"json/arrays 6000", func() string { return fromJSON(strings.Repeat("[", 6000) + strings.Repeat("]", 6000)) }},
	{"json/arrays 10001", func() string { return fromJSON(strings.Repeat("[", 10001) + strings.Repeat("]", 10001)) }},
	{"json/objects 9999", func() string {
		return fromJSON(strings.Repeat(`{"a":`, 9999) + "1" + strings.Repeat("}", 9999))
	}},
	{"json/marshal 5000", func() string {
		text, err := json.Marshal(chainOf(5000))
		return fmt.Sprint(len(text), err)
	}},
	{"json/indent 2000", func() string {
		var b bytes.Buffer
		err := json.Indent(&b, []byte(strings.Repeat("[", 2000)+strings.Repeat("]", 2000)), "", "")
		return fmt.Sprint(b.Len(), err)
	}},
	{"regexp/nested repeats", func() string { return compiles("x{1,52}") }},
	{"regexp/1000 groups", func() string { return compiles(strings.Repeat("(", 999) + "x" + strings.Repeat(")", 999)) }},
	{"regexp/beyond its depth", func() string { return compiles(strings.Repeat("(", 1001) + "x" + strings.Repeat(")", 1001)) }},
	{"regexp/backtracking", func() string {
		re := regexp.MustCompile("(a*)*(b|c)*d?$")
		return fmt.Sprint(re.FindStringIndex(strings.Repeat("abc", 3000)))
	}},
	{"go-parser/at its limit", func() string { return parses(strings.Repeat("(", 45_000) + "1" + strings.Repeat(")", 45_000)) }},
	{"go-parser/beyond its limit", func() string { return parses(strings.Repeat("(", 110_000) + "1" + strings.Repeat(")", 110_000)) }},
	{"text-template/recursion 5000", func() string {
		t := texttemplate.Must(texttemplate.New("r").Parse(`{{.N}}{{with .Next}}{{template "r" .}}{{end}}`))
		var b bytes.Buffer
		err := t.Execute(&b, chainOf(5000))
		return fmt.Sprint(b.Len(), err)
	}},
	{"html-template/recursion 2000", func() string {
		t := template.Must(template.New("r").Parse(`<p>{{.N}}{{with .Next}}{{template "r" .}}{{end}}</p>`))
		var b bytes.Buffer
		err := t.Execute(&b, chainOf(2000))
		return fmt.Sprint(b.Len(), err)
	}},
	{"gob/2000 deep", func() string {
		var b bytes.Buffer
		if err := gob.NewEncoder(&b).Encode(chainOf(2000)); err != nil {
			return err.Error()
		}
		var out chain
		err := gob.NewDecoder(&b).Decode(&out)
		return fmt.Sprint(length(&out), err)
	}},
	{"xml/5000 deep", func() string {
		type node struct {
			Next *node `xml:"a"`
		}
		var n node
		err := xml.Unmarshal([]byte(strings.Repeat("<a>", 5000)+strings.Repeat("</a>", 5000)), &n)
		return fmt.Sprint(err)
	}},
	{"fmt/5000 deep", func() string {
		var v any = 1
		for range 5000 {
			v = []any{v}
		}
		return fmt.Sprint(len(fmt.Sprintf("%v %#v", v, v)))
	}},
	{"tls/handshake", func() string {
		server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, r.TLS.HandshakeComplete)
		}))
		defer server.Close()
		answer, err := server.Client().Get(server.URL)
		if err != nil {
			return err.Error()
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		return fmt.Sprint(string(text), err)
	}},
}

func fromJSON(text string) string {
	var v any
	return fmt.Sprint(json.Unmarshal([]byte(text), &v))
}

func compiles(expr string) string {
	_, err := regexp.Compile(expr)
	return fmt.Sprint(err)
}

func parses(expr string) string {
	_, err := parser.ParseExprFrom(token.NewFileSet(), "", expr, 0)
	return fmt.Sprint(err)
}

// R17: on the default storage a task returns what a goroutine returns. On a stack
// of 64 KiB it returns that, or ends with an overflow that runs its deferred
// calls; and the next task on that stack is well.
func TestR17StandardLibraryInputs(t *testing.T) {
	overflows := 0
	for _, in := range stdInputs {
		t.Run(in.name, func(t *testing.T) {
			plain := make(chan string)
			go func() { plain <- in.run() }()
			want := <-plain

			var got string
			task := spawn(t, func(*ctx.Task) { got = in.run() })
			require.True(t, task.Done())
			require.NoError(t, task.Err())
			require.Equal(t, want, got)

			got = ""
			deferred := false
			task = spawn(t, func(*ctx.Task) {
				defer func() { deferred = true }()
				got = in.run()
			}, ctx.WithStackSize(64<<10))
			require.True(t, task.Done())
			require.True(t, deferred)
			switch err := task.Err(); {
			case err == nil && strings.Contains(got, "stack overflow"):
				overflows++ // a package that makes errors of panics has it for its answer
			case err == nil:
				require.Equal(t, want, got)
			default:
				require.ErrorIs(t, err, guard.ErrOverflow)
				overflows++
			}
			after := spawn(t, func(task *ctx.Task) { _ = fmt.Sprint(1.5); task.Yield() }, ctx.WithStackSize(64<<10))
			require.NoError(t, after.Resume())
			require.NoError(t, errors.Join(after.Err()))
		})
	}
	if overflowing() {
		require.Greater(t, overflows, 5, "some of these need more than 64 KiB")
	}
}

// overflowing reports whether stacks of a size end their tasks here.
func overflowing() bool {
	_, err := guard.Default(64 << 10)
	return err == nil
}
