package join_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/join"
)

// A node is a body: a leaf, which waits at its gate some times and then ends, or a
// combinator of other nodes. Programs of them run as tasks and on a model, which
// only calls functions and keeps states, and must agree on all that happens and on
// its order.
type node struct {
	id    int
	kind  string // "leaf" or a combinator
	waits int
	fails bool
	kids  []*node

	// The model's.
	parent   *node
	state    nodeState
	left     int
	winner   int // -1: none yet
	starting bool
	handled  bool
	err      error

	// The library's.
	gate gate
	task *ctx.Task
	done bool
}

type nodeState int

const (
	unbegun nodeState = iota
	begun
	over
)

func (n *node) all(visit func(*node)) {
	visit(n)
	for _, k := range n.kids {
		k.all(visit)
	}
}

// ----- as the model has it

type model struct{ log []string }

func (m *model) say(format string, args ...any) { m.log = append(m.log, fmt.Sprintf(format, args...)) }

func (m *model) start(n *node) {
	n.state, n.winner = begun, -1
	m.say("%d begins", n.id)
	if n.kind == "leaf" {
		if n.waits == 0 {
			m.leafEnds(n)
		}
		return
	}
	n.starting, n.left = true, 0
	for _, k := range n.kids {
		n.left++
		m.start(k)
		if n.winner >= 0 {
			break
		}
	}
	n.starting = false
	m.goOn(n)
}

func (m *model) leafEnds(n *node) {
	m.say("%d ends", n.id)
	if n.fails {
		m.over(n, fmt.Errorf("e%d", n.id))
	} else {
		m.over(n, nil)
	}
}

// over notes the end of n, and continues who waits for that.
func (m *model) over(n *node, err error) {
	n.state, n.err = over, err
	p := n.parent
	if p == nil {
		return
	}
	p.left--
	decides := err != nil
	switch p.kind {
	case "any", "select":
		decides = true
	case "race":
		decides = err == nil
	}
	if decides && p.winner < 0 {
		for i, k := range p.kids {
			if k == n {
				p.winner = i
			}
		}
	}
	m.goOn(p)
}

// goOn continues a combinator, if it may.
func (m *model) goOn(n *node) {
	if n.starting || n.handled || n.left > 0 && n.winner < 0 {
		return
	}
	n.handled = true
	for i := len(n.kids) - 1; i >= 0; i-- {
		m.unwind(n.kids[i])
	}
	var err error
	switch {
	case n.winner >= 0:
		err = n.kids[n.winner].err
	case n.kind == "race":
		var errs []error
		for _, k := range n.kids {
			errs = append(errs, k.err)
		}
		err = errors.Join(errs...)
	}
	m.say("%d has %d, %v", n.id, n.winner, err)
	m.over(n, err)
}

// unwind ends n and all below, from the last on, and tells nobody.
func (m *model) unwind(n *node) {
	if n.state != begun {
		return
	}
	n.state, n.handled = over, true
	for i := len(n.kids) - 1; i >= 0; i-- {
		m.unwind(n.kids[i])
	}
	m.say("%d unwinds", n.id)
}

func (m *model) open(n *node) bool {
	if n.kind != "leaf" || n.state != begun {
		return false
	}
	if n.waits--; n.waits == 0 {
		m.leafEnds(n)
	}
	return true
}

func (m *model) cancel(n *node, err error) {
	if n.state == begun {
		m.unwind(n)
		m.over(n, err)
	}
}

// ----- as the library does it

type real struct {
	size join.Size
	log  []string
}

func (r *real) say(format string, args ...any) { r.log = append(r.log, fmt.Sprintf(format, args...)) }

func (r *real) body(n *node) body {
	waits := n.waits // the model counts n.waits down
	return func(t *ctx.Task) (err error) {
		n.task = t
		r.say("%d begins", n.id)
		returned := false
		defer func() {
			n.done = true
			if !returned {
				r.say("%d unwinds", n.id)
			}
		}()
		if n.kind == "leaf" {
			for range waits {
				if err := n.gate.wait(t); err != nil {
					return err
				}
			}
			returned = true
			r.say("%d ends", n.id)
			if n.fails {
				return fmt.Errorf("e%d", n.id)
			}
			return nil
		}
		won, err := r.combine(n)
		returned = true
		r.say("%d has %d, %v", n.id, won, err)
		return err
	}
}

// combine answers who won, -1 if nobody, also where the library does not tell.
func (r *real) combine(n *node) (int, error) {
	var bodies []body
	var arms []join.Arm
	failed := -1
	for i, k := range n.kids {
		b := r.body(k)
		bodies = append(bodies, func(t *ctx.Task) error {
			defer func() {
				if t.Err() != nil && failed < 0 {
					failed = i // cancelled by the test
				}
			}()
			err := b(t)
			if err != nil && failed < 0 {
				failed = i
			}
			return err
		})
		arms = append(arms, join.Body(bodies[i]))
	}
	switch n.kind {
	case "all":
		return failed, r.size.All(bodies...)
	case "any":
		return r.size.Any(bodies...)
	case "race":
		return r.size.Race(bodies...)
	case "select":
		return r.size.Select(arms...)
	}
	err := r.size.Within(func(s *join.Scope) error {
		for _, b := range bodies {
			s.Go(b)
		}
		return nil
	})
	return failed, err
}

// ----- both

func drawNode(t *rapid.T, depth int, count *int) *node {
	n := &node{id: *count, kind: "leaf"}
	*count++
	if depth > 0 {
		n.kind = rapid.SampledFrom([]string{"leaf", "all", "any", "race", "select", "scope"}).Draw(t, "kind")
	}
	if n.kind == "leaf" {
		n.waits = rapid.IntRange(0, 3).Draw(t, "waits")
		n.fails = rapid.Bool().Draw(t, "fails")
		return n
	}
	for range rapid.IntRange(1, 4).Draw(t, "arms") {
		k := drawNode(t, depth-1, count)
		k.parent = n
		n.kids = append(n.kids, k)
	}
	return n
}

func TestCombinatorsAgreeWithTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := &real{size: rapid.SampledFrom([]join.Size{0, 16 << 10}).Draw(t, "size")}
		m := &model{}
		count := 0
		root := drawNode(t, 3, &count)
		nodes := make([]*node, count)
		root.all(func(n *node) { nodes[n.id] = n })

		run := r.body(root)
		var rootErr error
		p, err := ctx.Spawn(func(t *ctx.Task) { rootErr = run(t) }, ctx.WithStrictStack(512<<10))
		require.NoError(t, err)
		m.start(root)
		same := func(what string) {
			require.Equal(t, strings.Join(m.log, "\n"), strings.Join(r.log, "\n"), what)
			require.Equal(t, root.state == over, p.Done(), what)
		}
		same("start")
		for range rapid.IntRange(0, 40).Draw(t, "steps") {
			n := nodes[rapid.IntRange(0, count-1).Draw(t, "node")]
			if rapid.IntRange(0, 9).Draw(t, "act") > 0 {
				require.Equal(t, m.open(n), n.gate.open(), "open %d", n.id)
				same(fmt.Sprint("open ", n.id))
				continue
			}
			cause := fmt.Errorf("x%d", n.id)
			m.cancel(n, fmt.Errorf("cancelled: %w", cause))
			if n.task != nil && !n.done {
				require.NoError(t, n.task.Cancel(cause))
			}
			same(fmt.Sprint("cancel ", n.id))
		}
		if p.Done() && p.Err() == nil && root.err != nil {
			require.EqualError(t, rootErr, root.err.Error())
		}
		m.cancel(root, nil)
		require.NoError(t, p.Cancel(nil))
		same("the end")
	})
}
