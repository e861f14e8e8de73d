package sched

import (
	"fmt"
	"log"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
)

// StallAfter is how long a Loop, Net or Pool may stand still before it is
// reported, unless OnStall says otherwise.
const StallAfter = 5 * time.Second

// A Stall says that a scheduler stands still: its goroutine, or each one of a
// Pool, has been busy with one task, or one function of Do, for some time, and something
// else waits for its turn: a queued task or function, a timer that is due, a socket that
// the system has reported.
//
// The task computes, or blocks its goroutine: in a lock of package sync, a
// channel, a system call, a WaitGroup. If it waits for another task of the same
// scheduler, it waits for ever.
type Stall struct {
	Scheduler Scheduler     // the *Loop, *Net or *Pool
	For       time.Duration // at least so long

	// Tasks are those that hold the scheduler up: one, or one for each worker of a
	// Pool. If such a task has itself resumed another task, by Unlock, say, and waits
	// for it to return, all tasks follow that run or block at this moment: the other
	// task is among them. WaitsOn says what blocks a task, and Stack says where.
	Tasks []ctx.TaskInfo

	// Stack is the trace of the scheduler's goroutines, as runtime.Stack has it. A
	// function of Do that blocks is in it.
	Stack string
}

// String returns a line that says what stands still and why, and below it the
// stacks that tell where.
func (s Stall) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "sched: %s has stood still for %v: ", nameOf(s.Scheduler), s.For.Round(time.Millisecond))
	switch {
	case len(s.Tasks) == 0 && s.Stack == "":
		b.WriteString("a task or a function of Do holds it up")
	case len(s.Tasks) == 0:
		b.WriteString("a function of Do holds it up")
	}
	for i := range s.Tasks {
		t := &s.Tasks[i]
		if i != 0 {
			b.WriteString("; ")
		}
		fmt.Fprintf(&b, "task %d", t.ID)
		if t.Name != "" {
			fmt.Fprintf(&b, " %q", t.Name)
		}
		if t.WaitsOn != "" {
			fmt.Fprintf(&b, " waits for %s", t.WaitsOn)
		} else {
			fmt.Fprintf(&b, " is %s", t.State)
		}
	}
	b.WriteString(". Others wait for their turn. See \"What blocks\" in package sched")
	for i := range s.Tasks {
		fmt.Fprintf(&b, "\ntask %d", s.Tasks[i].ID)
		for _, f := range s.Tasks[i].Stack {
			fmt.Fprintf(&b, "\n    %s\n        %s:%d", f.Func, f.File, f.Line)
		}
	}
	if len(s.Tasks) == 0 && s.Stack != "" {
		b.WriteString("\n" + s.Stack)
	}
	return b.String()
}

func nameOf(s Scheduler) string {
	switch s := s.(type) {
	case *Loop:
		return fmt.Sprintf("Loop %p", s)
	case *Net:
		return fmt.Sprintf("Net %p", s)
	}
	return fmt.Sprintf("Pool %p", s)
}

// logStall is what OnStall is from the beginning.
func logStall(s Stall) { log.Print(s) }

// A runner is a goroutine that runs a scheduler's items.
type runner struct {
	beat  *beat
	owner ctx.Ender // of the tasks that it starts
	frame string    // the call that it has on its stack all the time, as a trace has it

	word  uint64    // the item that it was last seen at
	since time.Time // when it was first seen there
}

// findStall finds out what holds the runners up. The world stops for it.
func findStall(runners []runner) (tasks []ctx.TaskInfo, stack string) {
	stack = traces(func(trace string) bool {
		return slices.ContainsFunc(runners, func(r runner) bool { return strings.Contains(trace, r.frame) })
	})
	found := ctx.SnapshotOf(func(s *resume.Slot, onEnd ctx.Ender) bool {
		for i := range runners {
			if runners[i].has(s, onEnd) {
				return true
			}
		}
		return false
	})
	in := func(tasks []ctx.TaskInfo, states ...ctx.State) (those []ctx.TaskInfo) {
		for _, t := range tasks {
			if slices.Contains(states, t.State) {
				those = append(those, t)
			}
		}
		return those
	}
	tasks = in(found, ctx.StateRunning, ctx.StateUnwinding)
	if len(tasks) >= len(runners) || !strings.Contains(stack, switchFrame) {
		return tasks, stack
	}
	tasks = append(tasks, in(found, ctx.StateWaiting)...)
	for _, t := range in(ctx.Snapshot(), ctx.StateRunning, ctx.StateUnwinding) {
		if !slices.ContainsFunc(tasks, func(o ctx.TaskInfo) bool { return o.ID == t.ID }) {
			tasks = append(tasks, t)
		}
	}
	return tasks, stack
}

// switchFrame is in the trace of a goroutine that has resumed a task.
const switchFrame = "stackhop/resume."

// has reports whether s is the task that the runner has resumed. While the runner
// starts a task, its slot is not known: has then reports whether onEnd is the
// scheduler, as it is for each task that the scheduler has started.
func (r *runner) has(s *resume.Slot, onEnd ctx.Ender) bool {
	word, slot := r.beat.at()
	switch {
	case word != r.word:
		return false // it has gone on
	case slot != nil:
		return s == slot
	}
	return onEnd != nil && onEnd == r.owner
}

// traces returns the traces of some goroutines.
func traces(wanted func(trace string) bool) string {
	buf := make([]byte, min(ctx.StackLimit, 64<<10+2<<10*runtime.NumGoroutine()))
	n := runtime.Stack(buf, true)
	for n == len(buf) && n < ctx.StackLimit { // some are missing
		buf = make([]byte, min(ctx.StackLimit, 2*n))
		n = runtime.Stack(buf, true)
	}
	var b strings.Builder
	for trace := range strings.SplitSeq(string(buf[:n]), "\n\n") {
		if wanted(trace) {
			b.WriteString(trace + "\n")
		}
	}
	return b.String()
}
