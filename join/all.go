package join

import (
	"errors"

	"github.com/stackhop/stackhop/ctx"
)

// All runs the bodies as tasks of their own, and returns when all have ended:
// nil, or the error of the first that failed. On that error the others are
// cancelled, for that cause, and those that have not begun are not begun.
func All(bodies ...func(t *ctx.Task) error) error { return Size(0).All(bodies...) }

// Each is All for n bodies that are one function, called with 0 to n-1. It needs
// no slice and no closure for each of them. A negative n is 0. With more than MaxArms
// none begins, and the error is an *ArmsError, as from every combinator.
func Each(n int, body func(t *ctx.Task, i int) error) error { return Size(0).Each(n, body) }

// Any runs the bodies as tasks of their own until the first has ended. It
// cancels the others, for ErrLost, and when they have ended, too, it returns
// the number of the first, from 0, and its error. Bodies after one that ended at
// once are not begun. Without bodies it returns -1 and ErrNoArms.
func Any(bodies ...func(t *ctx.Task) error) (int, error) { return Size(0).Any(bodies...) }

// Race is Any for the first that ends without an error. If all fail it returns
// -1 and their errors, joined in the order of the bodies.
func Race(bodies ...func(t *ctx.Task) error) (int, error) { return Size(0).Race(bodies...) }

// A Size is how many bytes of stack each arm gets. Its methods are the
// package's functions, with that size: join.Size(8<<10).All(a, b). If the
// caller is a task on a strict stack with that much of it left, the arms' stacks are
// carved from it; otherwise arms start as with ctx.WithStackSize. The zero Size stands for
// stacks of the runtime. The least and greatest are mmapstack.MinSize and
// mmapstack.GrowMax; with another, no arm begins, and the error is a
// *ctx.OptionError.
type Size int

// All is the function All, with stacks of size s.
func (s Size) All(bodies ...func(t *ctx.Task) error) error {
	if err := fits(len(bodies)); err != nil {
		return err
	}
	g := open(firstError, int(s), len(bodies))
	defer g.close()
	g.start(bodies)
	return g.result()
}

// Each is the function Each, with stacks of size s.
func (s Size) Each(n int, body func(t *ctx.Task, i int) error) error {
	if err := fits(n); err != nil {
		return err
	}
	g := open(firstError, int(s), max(n, 0))
	defer g.close()
	g.each = body
	g.start(nil)
	return g.result()
}

// result waits, and answers the first error.
func (g *group) result() error {
	g.wait()
	if w := g.winner(); w >= 0 {
		return g.arms[w].err
	}
	return g.stuck
}

// Any is the function Any, with stacks of size s.
func (s Size) Any(bodies ...func(t *ctx.Task) error) (int, error) {
	if len(bodies) == 0 {
		return -1, ErrNoArms
	}
	if err := fits(len(bodies)); err != nil {
		return -1, err
	}
	g := open(firstEnd, int(s), len(bodies))
	defer g.close()
	g.start(bodies)
	g.wait()
	return g.first()
}

// Race is the function Race, with stacks of size s.
func (s Size) Race(bodies ...func(t *ctx.Task) error) (int, error) {
	if len(bodies) == 0 {
		return -1, ErrNoArms
	}
	if err := fits(len(bodies)); err != nil {
		return -1, err
	}
	g := open(firstSuccess, int(s), len(bodies))
	defer g.close()
	g.start(bodies)
	g.wait()
	if g.winner() >= 0 || g.stuck != nil {
		return g.first()
	}
	errs := make([]error, len(g.arms))
	for i, a := range g.arms {
		errs[i] = a.err
	}
	return -1, errors.Join(errs...)
}

// first answers which arm won, and its error.
func (g *group) first() (int, error) {
	if w := g.winner(); w >= 0 {
		return w, g.arms[w].err
	}
	return -1, g.stuck
}
