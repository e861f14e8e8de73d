package guard

import (
	"sync/atomic"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/mmapstack"
)

// A Naming says which task an attached value of a stack runs: its name, if it has
// one, and its address, 0 if none runs. ok is false for a value that it does not
// know. It is called as the describe of stackhop.NoteFaults is, and has the same
// rules.
type Naming func(attached any) (name string, task uintptr, ok bool)

var naming atomic.Pointer[Naming]

// NameTasks has n asked whose stack it is when a guard was touched. Package ctx
// does so for its tasks. A second call replaces the first.
func NameTasks(n Naming) { naming.Store(&n) }

// describe writes a line about a fault in some stack's guard.
//
// nosplit: SP is on the signal stack. So are all functions below, for which the
// compiler keeps the text on this frame.
//
//go:nosplit
func describe(addr uintptr, text *[stackhop.NoteSize]byte) int {
	s := mmapstack.GuardOwner(addr)
	if s == nil {
		return 0
	}
	r := s.Region()
	if r.Lo == 0 {
		return 0 // no stack yet
	}
	l := line{text: text}
	l.add("stackhop: fault at ")
	l.hex(addr)
	l.add(", in the guard of the stack ")
	l.hex(r.Lo)
	l.add("-")
	l.hex(r.Top)
	l.owner(s.Attached())
	text[l.n] = '\n'
	return l.n + 1
}

// A line is text that is being written. What has no room is left out.
type line struct {
	text *[stackhop.NoteSize]byte
	n    int
}

// owner says whose stack it is.
//
//go:nosplit
func (l *line) owner(attached any) {
	n := naming.Load()
	if attached == nil || n == nil {
		return
	}
	if _, is := attached.(*aux); is {
		l.add(", on which guard.Grow calls")
		return
	}
	name, task, ok := (*n)(attached)
	switch {
	case !ok:
		l.add(", in use")
	case task == 0:
		l.add(", on which no task runs")
	case name == "":
		l.add(" of task ")
		l.hex(task)
	default:
		l.add(" of task \"")
		l.add(name)
		l.add("\"")
	}
}

//go:nosplit
func (l *line) add(s string) {
	for i := 0; i < len(s) && l.n < len(l.text)-1; i++ {
		c := s[i]
		if c < ' ' {
			c = '?' // in a name
		}
		l.text[l.n] = c
		l.n++
	}
}

//go:nosplit
func (l *line) hex(v uintptr) {
	l.add("0x")
	digits := 1
	for rest := v >> 4; rest != 0; rest >>= 4 {
		digits++
	}
	for ; digits > 0; digits-- {
		d := v >> (4 * (digits - 1)) & 15
		l.add("0123456789abcdef"[d : d+1])
	}
}
