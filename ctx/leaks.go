package ctx

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// ErrLeaks is the sentinel that the errors of Leaks match: the search could not be
// made. One that also matches errors.ErrUnsupported will not succeed later.
var ErrLeaks = errors.New("ctx: cannot look for leaked tasks")

// Leaks returns the tasks that are suspended and that nothing in the program can
// continue, cancel or wait for any more, because nobody has the Task, a Handle
// of it, or anything that leads to one; other leaked tasks and the task itself
// do not count. Each keeps its stack for ever.
//
// The answer is about one moment, and is found as the garbage collector would,
// if leaked tasks were not there. So a variable that will not be used any more does
// not count, with one exception: if a call has given away the address of a variable,
// and that address is still in use, everything left in the call's frame counts. A used
// Handle in a structure counts, and may hide a leak. References that only C memory, the variables of a plugin or
// runtime.AddCleanup have are not found.
//
// It is for tests and for programs under inspection: it collects garbage, and reads
// the whole heap, in a process forked for the purpose, and sets GOMAXPROCS to 1 until
// that is made (so that the runtime does not adapt it to the machine any more). That
// takes some 15 ms in a small program, and some 1 ms more for each 1000 objects on
// the heap and each 100 suspended tasks. If no task at all is suspended it takes
// microseconds. It needs Linux, and the right to fork. Errors match ErrLeaks.
func Leaks() ([]TaskInfo, error) {
	type answer struct {
		leaks []TaskInfo
		err   error
	}
	c := make(chan answer)
	go func() { // whose stack is not looked at
		leaks, err := findLeaks()
		c <- answer{leaks, err}
	}()
	a := <-c
	return a.leaks, a.err
}

// looking is held by who looks: what another one has found would be references,
// and GOMAXPROCS is everybody's.
var looking sync.Mutex

func findLeaks() ([]TaskInfo, error) {
	looking.Lock()
	defer looking.Unlock()
	pin() // a leaked *Task stays that task's
	defer unpin()
	ids := registry.all()
	if !slices.ContainsFunc(ids, (*identity).suspended) {
		return nil, nil // no task is left that could have leaked
	}
	leaked, err := unreachable(ids)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLeaks, err)
	}
	if len(leaked) == 0 {
		return nil, nil
	}
	return snapshot(func(id *identity, t *Task) bool { return leaked[id.key()] }), nil
}

// suspended reports whether a task is on id that somebody has to continue.
func (id *identity) suspended() bool {
	t := id.currentTask()
	if t == nil {
		return false
	}
	switch t.slot.State() {
	case slotYielded, slotArmed, slotDying:
		return true
	}
	return false
}

// TB is what CheckLeaks needs of a *testing.T.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
	Logf(format string, args ...any)
}

// CheckLeaks fails the test, with a dump, if there are leaked tasks. Where Leaks is
// not supported it logs that. It costs what Leaks costs: microseconds at the end of
// a test that has left no suspended task.
func CheckLeaks(t TB) {
	t.Helper()
	leaks, err := Leaks()
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		t.Logf("%v", err)
	case err != nil:
		t.Errorf("%v", err)
	case len(leaks) != 0:
		t.Errorf("ctx: leaked tasks: %s", strings.TrimSpace(format(leaks)))
	}
}
