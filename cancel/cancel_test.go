package cancel_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/stackhop/stackhop/cancel"
)

// A fake is a target without a stack: suspended, or running until stop is
// called.
type fake struct {
	name    string
	node    cancel.Node
	mu      sync.Mutex
	marked  *cancel.Error
	running bool
	dying   bool
	ended   bool
	refuse  error
	log     *[]string
}

func (f *fake) Mark(err *cancel.Error) { f.marked = err }

func (f *fake) Claim(ready bool) cancel.Claim {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.ended:
		return cancel.Gone
	case f.running:
		return cancel.Busy
	case !ready:
		f.dying = true
		return cancel.Busy
	}
	f.running = true
	return cancel.Claimed
}

func (f *fake) Unwind() error {
	if f.refuse != nil {
		f.running = false
		return f.refuse
	}
	f.end()
	return nil
}

// end is what the end of the target does.
func (f *fake) end() {
	*f.log = append(*f.log, f.name)
	up, awake := f.node.Leave()
	f.mu.Lock()
	f.ended = true
	f.mu.Unlock()
	if awake != nil {
		awake()
	}
	if up != nil {
		_ = up.Unwind()
	}
}

// stop is a running target's next suspension.
func (f *fake) stop() {
	f.mu.Lock()
	if f.marked == nil {
		f.running = false
		f.mu.Unlock()
		return
	}
	f.mu.Unlock()
	if f.node.Resign(func() { f.mu.Lock(); f.running, f.dying = false, true; f.mu.Unlock() }) {
		f.end()
	}
}

func grow(t require.TestingT, log *[]string, parent *fake, name string) *fake {
	f := &fake{name: name, log: log}
	f.node.Init(f)
	if parent != nil {
		require.NoError(t, f.node.Attach(&parent.node))
	}
	return f
}

var errWhy = errors.New("why")

func TestRequestUnwindsChildrenFirstLastStartedFirst(t *testing.T) {
	var log []string
	root := grow(t, &log, nil, "root")
	a, b := grow(t, &log, root, "a"), grow(t, &log, root, "b")
	grow(t, &log, a, "a1")
	grow(t, &log, b, "b1")
	grow(t, &log, b, "b2")
	require.NoError(t, root.node.Request(errWhy))
	require.Equal(t, []string{"b2", "b1", "b", "a1", "a", "root"}, log)
	require.ErrorIs(t, root.marked, errWhy)
	require.Same(t, root.marked, b.marked)
	require.NoError(t, root.node.Request(nil), "it has ended")
}

func TestARunningChildKeepsItsParentsAndNobodyElse(t *testing.T) {
	var log []string
	root := grow(t, &log, nil, "root")
	a := grow(t, &log, root, "a")
	b := grow(t, &log, root, "b")
	grow(t, &log, root, "c")
	b.running = true
	grow(t, &log, b, "b1")
	require.ErrorIs(t, root.node.Request(errWhy), cancel.ErrCancelPending)
	require.Equal(t, []string{"c", "b1", "a"}, log)
	require.True(t, root.dying)
	require.False(t, a.running && !a.ended)
	require.ErrorIs(t, root.node.Request(nil), cancel.ErrCancelPending)
	require.ErrorIs(t, root.node.Err(), errWhy, "the first cause stays")
	require.ErrorIs(t, grow(t, &log, nil, "late").node.Attach(&root.node), errWhy)
	b.stop()
	require.Equal(t, []string{"c", "b1", "a", "b", "root"}, log)
}

func TestATargetThatCannotBeUnwoundHereStays(t *testing.T) {
	var log []string
	root := grow(t, &log, nil, "root")
	a := grow(t, &log, root, "a")
	a.refuse = errors.New("not on this thread")
	require.ErrorIs(t, root.node.Request(errWhy), a.refuse)
	require.Empty(t, log)
	a.refuse = nil
	require.NoError(t, root.node.Request(nil))
	require.Equal(t, []string{"a", "root"}, log)
	require.ErrorIs(t, a.marked, errWhy)
}

func TestChildrenAreAwaited(t *testing.T) {
	var log []string
	root := grow(t, &log, nil, "root")
	root.running = true
	require.False(t, root.node.AwaitChildren(func() any { t.Error("none to await"); return nil }))
	a, b := grow(t, &log, root, "a"), grow(t, &log, root, "b")
	a.running = true
	require.ErrorIs(t, root.node.RequestChildren(errWhy), cancel.ErrCancelPending)
	require.True(t, b.ended)
	require.Nil(t, root.marked)
	require.ErrorIs(t, grow(t, &log, nil, "late").node.Attach(&root.node), errWhy)
	require.True(t, root.node.HasChildren())
	require.True(t, root.node.AwaitChildren(func() any { log = append(log, "awake"); return nil }))
	a.stop()
	require.Equal(t, []string{"b", "a", "awake"}, log)
	require.False(t, root.node.HasChildren())
	require.NoError(t, root.node.RequestChildren(nil))
}

func TestErrors(t *testing.T) {
	for _, tc := range []struct {
		cause error
		is    error
		text  string
	}{
		{nil, context.Canceled, "cancelled: context canceled"},
		{errWhy, errWhy, "cancelled: why"},
	} {
		err := error(&cancel.Error{Cause: tc.cause})
		require.ErrorIs(t, err, tc.is)
		require.Equal(t, tc.text, err.Error())
	}
	var log []string
	given := &cancel.Error{Cause: errWhy}
	f := grow(t, &log, nil, "f")
	require.NoError(t, f.node.Request(given))
	require.Same(t, given, f.marked, "an *Error is not wrapped again")
}

// Any tree, any of its nodes running, requests at any nodes, and ends in any
// order: each ends once, none before its children, and no claim is lost.
func TestTeardownOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var log []string
		all := []*fake{grow(rt, &log, nil, "0")}
		below := map[string][]string{}
		for i := range rapid.IntRange(0, 12).Draw(rt, "nodes") {
			p := all[rapid.IntRange(0, len(all)-1).Draw(rt, "parent")]
			f := grow(rt, &log, p, fmt.Sprint(i+1))
			below[p.name] = append(below[p.name], f.name)
			all = append(all, f)
		}
		var running []*fake
		for _, f := range all {
			if rapid.Bool().Draw(rt, "running") {
				f.running = true
				running = append(running, f)
			}
		}
		for range rapid.IntRange(1, 4).Draw(rt, "requests") {
			_ = all[rapid.IntRange(0, len(all)-1).Draw(rt, "at")].node.Request(errWhy)
		}
		err := all[0].node.Request(nil)
		require.Equal(rt, err == nil, all[0].ended)
		for _, f := range rapid.Permutation(running).Draw(rt, "stops") {
			f.stop()
		}
		require.Len(rt, log, len(all))
		at := map[string]int{}
		for i, name := range log {
			require.NotContains(rt, at, name)
			at[name] = i
		}
		for p, children := range below {
			for _, c := range children {
				require.Less(rt, at[c], at[p])
			}
		}
	})
}

// Ends from many threads at once, while the request goes on: the last one ends
// the root.
func TestConcurrentTeardown(t *testing.T) {
	rounds := 2000
	if testing.Short() {
		rounds = 200
	}
	for range rounds {
		var log []string
		root := grow(t, &log, nil, "root")
		var wg sync.WaitGroup
		for range 4 {
			l := grow(t, new([]string), root, "leaf")
			l.running = true
			wg.Go(func() {
				_ = l.node.Request(nil)
				l.stop()
			})
		}
		_ = root.node.Request(errWhy)
		wg.Wait()
		require.Equal(t, []string{"root"}, log)
	}
}
