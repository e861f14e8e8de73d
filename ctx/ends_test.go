package ctx_test

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
)

// A tie is a parent that awaits its child, and names the next tie's child when it
// ends itself.
type tie struct {
	parent, child keeper
	next          *tie
	ended         func()
}

func (l *tie) TaskEnded(*ctx.Task) resume.Handle {
	if l.next == nil {
		l.ended()
		return resume.Handle{}
	}
	return l.next.child.h
}

// start leaves both suspended. Whoever continues the child continues the parent
// first, which ends, and awaits the child's end.
func (l *tie) start(t *testing.T) *ctx.Task {
	p, err := ctx.Spawn(func(p *ctx.Task) {
		_, err := ctx.Spawn(func(c *ctx.Task) {
			c.SuspendTo(&l.child)
			if err := l.parent.h.Resume(); err != nil {
				t.Error(err)
			}
			if p.Done() {
				t.Error("it does not await its child")
			}
		}, ctx.WithParent(p))
		if err != nil {
			t.Error(err)
		}
		p.SuspendTo(&l.parent)
	}, ctx.WithOnEnd(l))
	require.NoError(t, err)
	return p
}

// A chain of ends takes no stack, whatever leads from one to the next: nobody's end
// is told within the call that continued somebody else.
func TestAChainOfAwaitedChildrenTakesNoStack(t *testing.T) {
	depth := func(n int) (depth int) {
		last := &tie{ended: func() { depth = runtime.Callers(0, make([]uintptr, 1<<16)) }}
		first := last
		parents := []*ctx.Task{first.start(t)}
		for range n - 1 {
			first = &tie{next: first}
			parents = append(parents, first.start(t))
		}
		require.NoError(t, first.child.h.Resume())
		for _, p := range parents {
			require.True(t, p.Done())
			require.NoError(t, p.Err())
		}
		return depth
	}
	require.Equal(t, depth(2), depth(1000))
}

// What a task's end leads to has an order: its Ender, those who wait, the parent that
// awaits it.
func TestOrderOfWhatAnEndLeadsTo(t *testing.T) {
	var log []string
	var hp, hc keeper
	var child *ctx.Task
	note := func(what string) endFunc { return func(*ctx.Task) { log = append(log, what) } }
	parent, err := ctx.Spawn(func(p *ctx.Task) {
		var err error
		child, err = ctx.Spawn(func(c *ctx.Task) {
			c.SuspendTo(&hc)
			_ = hp.h.Resume()
		}, ctx.WithParent(p), ctx.WithOnEnd(note("child ended")))
		if err != nil {
			t.Error(err)
		}
		p.SuspendTo(&hp)
	}, ctx.WithOnEnd(note("parent ended")))
	require.NoError(t, err)
	for _, who := range []string{"first waits", "second waits"} {
		_, err := ctx.Spawn(func(w *ctx.Task) {
			_ = child.Wait()
			log = append(log, who)
		})
		require.NoError(t, err)
	}
	require.NoError(t, hc.h.Resume())
	require.True(t, parent.Done())
	require.Equal(t, []string{"child ended", "first waits", "second waits", "parent ended"}, log)
}
