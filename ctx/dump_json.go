package ctx

import (
	"fmt"
	"strconv"
	"unicode/utf8"
)

// encoding/json, with all that it imports, is more than a program should get that
// imports this package for its tasks.

// appendJSON appends the tasks as an array, one a line.
func appendJSON(b []byte, tasks []TaskInfo) []byte {
	b = append(b, '[')
	for i := range tasks {
		if i > 0 {
			b = append(b, ',')
		}
		b = tasks[i].appendJSON(append(b, '\n'))
	}
	return append(b, "\n]\n"...)
}

// appendJSON goes by the tags of TaskInfo, as a test sees to.
func (t *TaskInfo) appendJSON(b []byte) []byte {
	o := jsonObject{append(b, '{')}
	o.number("id", int64(t.ID), true)
	o.number("parent", int64(t.Parent), false)
	o.number("depth", int64(t.Depth), true)
	o.text("name", t.Name)
	o.text("state", string(t.State))
	o.flag("cancel_pending", t.CancelPending)
	o.number("age_ns", int64(t.Age), true)
	o.flag("age_exact", t.AgeExact)
	o.text("waits_on", t.WaitsOn)
	if len(t.Stack) != 0 {
		o.key("stack")
		o.b = append(o.b, '[')
		for i, f := range t.Stack {
			if i > 0 {
				o.b = append(o.b, ',')
			}
			call := jsonObject{append(o.b, '{')}
			call.text("func", f.Func)
			call.text("file", f.File)
			call.number("line", int64(f.Line), true)
			o.b = append(call.b, '}')
		}
		o.b = append(o.b, ']')
	}
	o.flag("stack_cut", t.StackCut)
	return append(o.b, '}')
}

// A jsonObject is one that is being written, up to its last field.
type jsonObject struct{ b []byte }

func (o *jsonObject) key(name string) {
	if o.b[len(o.b)-1] != '{' {
		o.b = append(o.b, ',')
	}
	o.b = append(quote(o.b, name), ':')
}

func (o *jsonObject) number(name string, v int64, always bool) {
	if v != 0 || always {
		o.key(name)
		o.b = strconv.AppendInt(o.b, v, 10)
	}
}

func (o *jsonObject) text(name, v string) {
	if v != "" {
		o.key(name)
		o.b = quote(o.b, v)
	}
}

func (o *jsonObject) flag(name string, v bool) {
	if v {
		o.key(name)
		o.b = append(o.b, "true"...)
	}
}

func quote(b []byte, s string) []byte {
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r < ' ':
			b = fmt.Appendf(b, `\u%04x`, r)
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}
