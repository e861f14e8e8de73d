package ctx

import (
	"cmp"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/stackhop/stackhop/resume"
)

// A State is what a live task is about.
type State string

// The states of live tasks.
const (
	StateNew       State = "new"           // made by New: the first Resume begins its body
	StateRunning   State = "running"       // or blocked, as a goroutine
	StateWaiting   State = "waiting"       // for a task or another coroutine that it has resumed
	StateYielded   State = "yielded"       // its owner's Resume continues it
	StateSuspended State = "suspended"     // its handle continues it
	StateAsked     State = "to be unwound" // its children end first
	StateUnwinding State = "unwinding"     // its deferred calls run
)

// TaskInfo tells of one live task what is of use to people.
type TaskInfo struct {
	// ID is the number of its goroutine, as in the runtime's own stack traces.
	// It is 0 if none was found: in StateNew, or beyond StackLimit.
	ID     uint64 `json:"id"`
	Parent uint64 `json:"parent,omitempty"` // ID of the task that WithParent named
	Depth  int    `json:"depth"`            // how many parents are above it

	Name          string `json:"name,omitempty"`
	State         State  `json:"state"`
	CancelPending bool   `json:"cancel_pending,omitempty"` // it was asked to end

	// Age is how long the task has been there, if AgeExact; that takes TrackAge.
	// Else it is the time since a dump saw the task first.
	Age      time.Duration `json:"age_ns"`
	AgeExact bool          `json:"age_exact,omitempty"`

	// WaitsOn is the call that suspended the task, such as leaf.(*Mutex).Lock, or
	// what blocks its goroutine.
	WaitsOn string `json:"waits_on,omitempty"`

	// Stack are its calls, the innermost first. StackCut: some are missing, since
	// there are more than the runtime tells (about 100) or because of StackLimit.
	Stack    []Frame `json:"stack,omitempty"`
	StackCut bool    `json:"stack_cut,omitempty"`
}

// Snapshot returns what there is to tell of every live task. A child comes
// behind its parent, one deeper.
//
// Anybody may call it at any time, also while tasks switch on other threads. The
// world stops once, for microseconds per goroutine, idle coroutines included.
// Stacks are of that moment. A task that switches meanwhile counts as running; one that
// starts or ends meanwhile may be left out. From the first call on, each Spawn
// costs some nanoseconds more.
func Snapshot() []TaskInfo { return snapshot(func(*identity, *Task) bool { return true }) }

// SnapshotOf is Snapshot of the tasks for which wanted returns true. Its arguments are
// the slot of a task, which resume.Handle.Slot returns for a handle of the task, and the
// Ender of WithOnEnd, or nil. wanted must not start tasks.
func SnapshotOf(wanted func(s *resume.Slot, onEnd Ender) bool) []TaskInfo {
	return snapshot(func(_ *identity, t *Task) bool {
		var onEnd Ender
		if x := t.ext.Load(); x != nil {
			onEnd = x.onEnd
		}
		return wanted(&t.slot, onEnd)
	})
}

// Dump writes what Snapshot returns as text, children indented. A task with more than
// 16 ancestors is indented as one with 16 is, and its line has its depth and parent
// in words. So the text grows with the number of tasks, and not with their depth.
func Dump(w io.Writer) error {
	_, err := io.WriteString(w, format(Snapshot()))
	return err
}

// DumpJSON writes what Snapshot returns as encoding/json would, as an array.
func DumpJSON(w io.Writer) error {
	_, err := w.Write(appendJSON(nil, Snapshot()))
	return err
}

// A sight is a task that a dump looks at.
type sight struct {
	id     *identity
	task   *Task
	state  string // the slot's, before the world stopped
	parent *Task
	info   TaskInfo
}

func snapshot(wanted func(*identity, *Task) bool) []TaskInfo {
	pin()
	defer unpin()
	var seen []*sight
	for _, id := range registry.all() {
		if t := id.currentTask(); t != nil && wanted(id, t) {
			seen = append(seen, &sight{id: id, task: t, state: t.slot.State()})
		}
	}
	of, whole := stacks()
	seen = slices.DeleteFunc(seen, func(s *sight) bool { return !s.look(of[s.id.key()], whole) })
	return family(seen)
}

// look fills in what there is to tell. It reports false if the task has ended.
func (s *sight) look(k *stack, whole bool) bool {
	if k == nil {
		k = &stack{cut: !whole}
	}
	t := s.task
	age, exact := s.id.age()
	state := t.slot.State()
	if state != s.state {
		state = "" // it is not known which of the two the stack belongs to
	}
	s.info = TaskInfo{
		ID: k.goroutine, Name: t.name(), State: k.state(state), CancelPending: t.CancelPending(),
		Age: age, AgeExact: exact, Stack: k.frames, StackCut: k.cut,
	}
	s.info.WaitsOn = k.waitsOn(s.info.State)
	if x := t.ext.Load(); x != nil {
		x.node.Do(func() { s.parent = t.Parent() })
	}
	return s.id.currentTask() == t // else some of it may be the next task's
}

// state makes one of what the slot says and how the stack looks.
func (k *stack) state(slot string) State {
	unknown := k.goroutine == 0
	switch slot {
	case slotUnwinding:
		return StateUnwinding
	case slotDying:
		return StateAsked
	case slotYielded:
		switch {
		case !k.begun && !k.cut:
			return StateNew
		case k.left || unknown:
			return StateYielded
		}
	case slotArmed:
		if k.left || unknown {
			return StateSuspended
		}
	}
	if k.parked && !k.left {
		return StateWaiting
	}
	return StateRunning
}

// waitsOn tells what a task in that state needs in order to go on.
func (k *stack) waitsOn(state State) string {
	switch state {
	case StateNew:
		return "its first Resume"
	case StateWaiting:
		return "what it has resumed"
	case StateYielded, StateSuspended, StateAsked:
		if len(k.frames) != 0 {
			return path.Base(k.frames[0].Func)
		}
	default:
		if k.status != "running" && k.status != "runnable" && !k.parked {
			return k.status
		}
	}
	return ""
}

// family puts children behind their parents.
func family(seen []*sight) []TaskInfo {
	slices.SortFunc(seen, func(a, b *sight) int { return cmp.Compare(a.info.ID, b.info.ID) })
	at := map[*Task]*sight{}
	for _, s := range seen {
		at[s.task] = s
	}
	children := map[*sight][]*sight{}
	for _, s := range slices.Backward(seen) {
		p := at[s.parent]
		children[p] = append(children[p], s)
	}
	infos := make([]TaskInfo, 0, len(seen))
	todo := children[nil] // the next one last
	for len(todo) != 0 {
		s := todo[len(todo)-1]
		todo = append(todo[:len(todo)-1], children[s]...)
		if p := at[s.parent]; p != nil {
			s.info.Depth, s.info.Parent = p.info.Depth+1, p.info.ID
		}
		infos = append(infos, s.info)
	}
	return infos
}

// maxIndent is the number of ancestors that a task is indented for. The line of a task
// with more names the parent: so the text of a dump grows with the number of tasks,
// and not with their depth.
const maxIndent = 16

func format(tasks []TaskInfo) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d live tasks\n", len(tasks))
	for i := range tasks {
		tasks[i].format(&b)
	}
	return b.String()
}

// text is what Dump writes of a task.
func (t *TaskInfo) text() string {
	var b strings.Builder
	t.format(&b)
	return strings.TrimSpace(b.String())
}

func (t *TaskInfo) format(b *strings.Builder) {
	indent := "\n" + strings.Repeat("    ", min(t.Depth, maxIndent))
	fmt.Fprintf(b, "%stask %d", indent, t.ID)
	if t.Name != "" {
		fmt.Fprintf(b, " %q", t.Name)
	}
	if t.Depth > maxIndent {
		fmt.Fprintf(b, " (%d deep, child of %d)", t.Depth, t.Parent)
	}
	fmt.Fprintf(b, ": %s", t.State)
	switch {
	case t.WaitsOn == "":
	case t.State == StateYielded, t.State == StateSuspended:
		fmt.Fprintf(b, " in %s", t.WaitsOn)
	default:
		fmt.Fprintf(b, ", waits for %s", t.WaitsOn)
	}
	switch {
	case t.AgeExact:
		fmt.Fprintf(b, ", %v old", t.Age)
	case t.Age != 0:
		fmt.Fprintf(b, ", at least %v old", t.Age)
	}
	if t.CancelPending {
		b.WriteString(", asked to end")
	}
	for _, f := range t.Stack {
		fmt.Fprintf(b, "%s    %s%s        %s:%d", indent, f.Func, indent, f.File, f.Line)
	}
	if t.StackCut {
		fmt.Fprintf(b, "%s    and more, left out", indent)
	}
	b.WriteByte('\n')
}

// What resume.Slot.State says.
const (
	slotYielded   = "yielded to its owner"
	slotArmed     = "suspended under a handle"
	slotUnwinding = "unwinding"
	slotDying     = "waiting to be unwound"
)
