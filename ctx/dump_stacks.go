package ctx

import (
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// StackLimit is how many bytes of stack text a dump asks the runtime for. Of
// goroutines beyond that, idle ones included, it tells no stack.
const StackLimit = 64 << 20

// A Frame is one call on a task's stack.
type Frame struct {
	Func string `json:"func"` // with its package's path
	File string `json:"file"`
	Line int    `json:"line"`
}

// A stack is what the runtime tells of a coroutine's goroutine.
type stack struct {
	goroutine uint64
	status    string // "running", "chan receive" and so on
	frames    []Frame
	begun     bool // a task's body is on it
	parked    bool // it has switched away, to another or back
	left      bool // and back, to whoever resumed it
	cut       bool // the runtime left frames out

	all   []Frame // until trim
	depth int     // of a part on an auxiliary stack, see guard.Grow
}

const (
	modulePath   = "github.com/stackhop/stackhop"
	kernelPrefix = modulePath + "."
	resumePrefix = modulePath + "/resume."
	ctxPrefix    = modulePath + "/ctx."
	serveName    = ctxPrefix + "serve"
	hopName      = ctxPrefix + "(*identity).Hopped"
	growName     = modulePath + "/guard.Grow"
)

// The calls by which a task leaves: the innermost in package resume, and those in
// package ctx that led there.
var (
	leaving = []string{"leave", "park", "parkFor", "(*Slot).ParkAs", "(*Slot).Transfer"}
	waiting = []string{"leaf", "join", "sched"} // packages whose calls wait
	asking  = []string{"Suspend", "(*Task).Suspend", "(*Task).SuspendTo", "(*Task).Yield", "(*Task).Park", "parkBy", "comeHome"}
)

// stacks returns the stacks that all identities had at one moment. It reports
// whether StackLimit sufficed. The world stops for it.
func stacks() (of map[string]*stack, whole bool) {
	text, whole := stackText()
	parts := map[string][]*stack{}
	for text != "" {
		var part string
		part, text, _ = strings.Cut(text, "\n\n")
		if key, depth, ok := identityIn(part); ok {
			s := parseStack(part)
			s.depth = depth
			parts[key] = append(parts[key], s)
		}
	}
	of = map[string]*stack{}
	for key, parts := range parts {
		of[key] = joined(parts)
	}
	return of, whole
}

func stackText() (text string, whole bool) {
	buf := make([]byte, min(StackLimit, 64<<10+2<<10*runtime.NumGoroutine()))
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) || n >= StackLimit {
			return string(buf[:n]), n < len(buf)
		}
		buf = make([]byte, min(StackLimit, 2*len(buf)))
	}
}

// key is how a trace names id where it is an argument.
func (id *identity) key() string { return fmt.Sprintf("%p", id) }

// identityIn finds the argument of the frame that a goroutine has all the time
// that it serves an identity, or calls a function for one on an auxiliary stack.
func identityIn(trace string) (key string, depth int, ok bool) {
	_, rest, hopped := strings.Cut(trace, "\n"+hopName+"(")
	if !hopped {
		if _, rest, ok = strings.Cut(trace, "\n"+serveName+"("); !ok {
			return "", 0, false
		}
	}
	end := strings.IndexAny(rest, "?,)")
	key, rest = rest[:max(end, 0)], rest[max(end, 0):]
	if hopped {
		_, _ = fmt.Sscanf(strings.TrimLeft(rest, "?, "), "%v", &depth) // 0: not told
	}
	return key, depth, end > 0
}

// joined makes one stack of the parts that are on different ones. The lowest
// has the goroutine's number, the highest tells what the task does.
func joined(parts []*stack) *stack {
	slices.SortFunc(parts, func(a, b *stack) int { return b.depth - a.depth })
	top, low := parts[0], parts[len(parts)-1]
	for i, s := range parts {
		frames := s.all
		if i != 0 { // it has hopped away
			frames = frames[max(0, slices.IndexFunc(frames, func(f Frame) bool { return f.Func == growName })):]
		}
		if end := slices.IndexFunc(frames, func(f Frame) bool { return f.Func == hopName }); end >= 0 {
			frames = frames[:end]
		}
		if i == 0 {
			top.all = frames
			continue
		}
		top.all = append(top.all[:len(top.all):len(top.all)], frames...)
		top.cut = top.cut || s.cut
	}
	top.goroutine = low.goroutine
	top.trim(top.all)
	top.all = nil
	return top
}

// parseStack reads one goroutine's part of runtime.Stack's text. joined comes next.
func parseStack(trace string) *stack {
	s := new(stack)
	head, trace, _ := strings.Cut(trace, "\n")
	if _, err := fmt.Sscanf(head, "goroutine %d ", &s.goroutine); err != nil {
		return s
	}
	_, head, _ = strings.Cut(head, "[")
	s.status = head[:max(0, strings.IndexAny(head, ",]"))]
	for trace != "" {
		var call, at string
		call, trace, _ = strings.Cut(trace, "\n")
		if strings.HasPrefix(call, "...") {
			s.cut = true
			continue
		}
		at, trace, _ = strings.Cut(trace, "\n")
		if strings.HasPrefix(call, "created by ") {
			break
		}
		s.all = append(s.all, parseFrame(call, at))
	}
	return s
}

// parseFrame reads "path.name(arguments)" and "\tfile:line +0x12".
func parseFrame(call, at string) Frame {
	f := Frame{Func: call[:max(0, strings.LastIndexByte(call, '('))]}
	at, _, _ = strings.Cut(strings.TrimPrefix(at, "\t"), " +0x")
	if i := strings.LastIndexByte(at, ':'); i >= 0 {
		f.File = at[:i]
		f.Line, _ = strconv.Atoi(at[i+1:])
	}
	return f
}

// trim keeps of all frames those of the body and of what it called, down to the
// call that parked it.
func (s *stack) trim(all []Frame) {
	end := slices.IndexFunc(all, func(f Frame) bool { return f.Func == serveName })
	body := all[:max(0, end)]
	if s.begun = len(skip(skip(body, "runtime."), kernelPrefix)) != 0; !s.begun { // serve may have parked
		return
	}
	s.frames = body
	rest := skip(s.frames, "runtime.")
	if !strings.HasPrefix(rest[0].Func, kernelPrefix) {
		return
	}
	s.parked = true
	rest = skip(rest, kernelPrefix)
	s.left = isOneOf(rest, resumePrefix, leaving)
	rest = skip(rest, resumePrefix)
	if !s.left {
		s.frames = skip(rest, ctxPrefix)
		return
	}
	for isOneOf(rest, ctxPrefix, asking) {
		rest = rest[1:]
	}
	s.frames = rest
	if i := slices.IndexFunc(rest, func(f Frame) bool { return !inner(f.Func) }); i > 0 {
		s.frames = rest[i:]
	}
}

// inner reports whether a function is one that a library of this module does its
// waiting by, and no name that its users know.
func inner(name string) bool {
	name, ours := strings.CutPrefix(name, modulePath+"/")
	pkg, name, _ := strings.Cut(name, ".")
	if !ours || !slices.Contains(waiting, pkg) {
		return false
	}
	for part := range strings.SplitSeq(strings.ReplaceAll(name, "[...]", ""), ".") {
		if first, _ := utf8.DecodeRuneInString(strings.TrimLeft(part, "(*")); !unicode.IsUpper(first) {
			return true
		}
	}
	return false
}

// isOneOf reports whether the first frame is of one of the package's functions.
func isOneOf(frames []Frame, prefix string, names []string) bool {
	if len(frames) == 0 {
		return false
	}
	name, ok := strings.CutPrefix(frames[0].Func, prefix)
	return ok && slices.Contains(names, name)
}

func skip(frames []Frame, prefix string) []Frame {
	for len(frames) != 0 && strings.HasPrefix(frames[0].Func, prefix) {
		frames = frames[1:]
	}
	return frames
}
