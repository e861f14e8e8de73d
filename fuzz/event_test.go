package fuzz

import (
	"fmt"
	"strings"
)

// An event is one effect: who did what to which, and what came of it.
type event struct {
	who    int // number of the actor: 0 is main
	what   string
	which  int
	result string
}

func (e event) String() string {
	return fmt.Sprintf("%-10s %s %d: %s", actorName(e.who), e.what, e.which, e.result)
}

// Actors: main, tasks from firstTask on, goroutines below 0.
const (
	mainActor = 0
	firstTask = 1
)

func actorName(n int) string {
	switch {
	case n == mainActor:
		return "main"
	case n < 0:
		return fmt.Sprintf("goroutine%d", -n)
	}
	return fmt.Sprintf("task%d", n-firstTask)
}

// diff says where two logs part, "" if they do not.
func diff(model, library []event) string {
	n := 0
	for n < len(model) && n < len(library) && model[n] == library[n] {
		n++
	}
	if n == len(model) && n == len(library) {
		return ""
	}
	var b strings.Builder
	for i := max(0, n-30); i < n; i++ {
		fmt.Fprintf(&b, "%5d  %v\n", i, model[i])
	}
	for i := n; i < n+3; i++ {
		if i < len(model) {
			fmt.Fprintf(&b, "%5d  model:   %v\n", i, model[i])
		}
		if i < len(library) {
			fmt.Fprintf(&b, "%5d  library: %v\n", i, library[i])
		}
	}
	return b.String()
}

// listing prints the last events of a log.
func listing(log []event) string {
	var b strings.Builder
	for i := max(0, len(log)-200); i < len(log); i++ {
		fmt.Fprintf(&b, "%5d  %v\n", i, log[i])
	}
	return b.String()
}

// Results, but for those that carry a number.
const (
	isOK          = "ok"
	isTrue        = "true"
	isFalse       = "false"
	isNone        = "no such" // task or handle, or it is freed
	isPlain       = "not on a task"
	isTooDeep     = "too deep"
	isTooMany     = "too many"
	isBlocked     = "would block"
	isStale       = "stale"
	isRunning     = "running"
	isNotYielded  = "under a handle"
	isDone        = "done"
	isNotDone     = "not done"
	isInUse       = "stack in use"
	isRefused     = "option refused"
	isAwaited     = "awaited"
	isArm         = "an arm"
	isPublishing  = "publishing"
	isPending     = "pending"
	isUnwinding   = "unwinding"
	isGoexit      = "goexit"
	isRecoverNone = "nothing recovered"
)
