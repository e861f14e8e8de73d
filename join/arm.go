package join

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/stackhop/stackhop/cancel"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/internal/release"
	"github.com/stackhop/stackhop/mmapstack"
	"github.com/stackhop/stackhop/resume"
)

// An arm is one arm of a group, again and again.
type arm struct {
	g     *group
	index int
	ended uint32    // 1: err is valid, and the task is the parent's to free (J2)
	task  *ctx.Task // once Spawn has returned, unless it had ended by then
	fn    func(t *ctx.Task) error
	err   error // how it ended
	body  func(t *ctx.Task)

	// Of Select's arms.
	other  *ctx.Task               // that is waited for
	await  func(t *ctx.Task) error // waits for it
	timer  *time.Timer             // kept from call to call
	timing bool                    // it runs; the parent's own
	fire   func()                  // what it calls
	from   source                  // channel that has had nothing to receive
	to     any
}

// arm returns the record of the next arm.
func (g *group) arm() *arm {
	n := len(g.arms)
	g.unbegun--
	if n < cap(g.arms) {
		g.arms = g.arms[:n+1]
	} else {
		g.arms = append(g.arms, nil)
	}
	a := g.arms[n]
	if a == nil {
		a = &arm{g: g, index: n}
		a.body = a.run
		g.arms[n] = a
	}
	return a
}

// run is the body of the arm's task.
func (a *arm) run(t *ctx.Task) {
	if each := a.g.each; each != nil {
		a.err = each(t, a.index)
	} else {
		a.err = a.fn(t)
	}
}

// TaskEnded makes the arm an ender of its task.
func (a *arm) TaskEnded(t *ctx.Task) resume.Handle {
	err := t.Err()
	if err == nil {
		err = a.err
	}
	return a.end(err)
}

// end counts the arm down. Nothing of a, or of its task, is touched after the store.
func (a *arm) end(err error) resume.Handle {
	g, index := a.g, a.index
	a.err = err
	release.Store32(&a.ended, 1)
	return g.end(index, g.rule.ends(err))
}

// start starts the arms, in order, until one has decided: of bodies, or if that is
// nil of each. Spawn is inlined into the loop, since what returns after a switch is
// mispredicted; and an Option is large enough to be worth making once, in place.
func (g *group) start(bodies []func(t *ctx.Task) error) {
	var opts [3]ctx.Option
	g.kin(&opts[1])
	given := opts[:2]
	var on *mmapstack.Stack // what opts[2] says
	if g.size != 0 {
		given, opts[2] = opts[:3], ctx.WithStackSize(g.size)
	}
	for g.unbegun > 0 {
		a := g.arm()
		if bodies != nil {
			a.fn = bodies[a.index]
		}
		if a.fn == nil && g.each == nil {
			a.end(ctx.ErrNilBody)
		} else {
			opts[0] = ctx.WithOnEnd(a)
			if g.size != 0 {
				if k := g.lent.get(g.size); k != on {
					on = k
					g.storage(&opts[2])
				}
			}
			if t, err := ctx.Spawn(a.body, given...); err != nil {
				g.refused(a, err)
				g.kin(&opts[1])
			} else {
				g.started(a, t)
			}
		}
		if g.word.Load()&decided != 0 {
			g.skip()
			return
		}
	}
}

// kin has o make the next arm a child of the parent. If that is unwinding, the arm
// gets only the values of its context.
func (g *group) kin(o *ctx.Option) {
	switch {
	case g.parent == nil:
		*o = ctx.Option{}
	case g.orphans:
		*o = ctx.WithContext(context.WithoutCancel(g.parent.Context()))
	default:
		*o = ctx.WithParent(g.parent)
	}
}

// storage has o say where the next arm runs: on the stack given to it, if any.
func (g *group) storage(o *ctx.Option) {
	switch {
	case g.lent.given != nil:
		*o = ctx.WithStack(g.lent.given)
	case g.size != 0:
		*o = ctx.WithStackSize(g.size)
	default:
		*o = ctx.Option{}
	}
}

// started notes the task of an arm. If that has ended, the next arm may have
// its task and its stack.
func (g *group) started(a *arm, t *ctx.Task) {
	k := g.lent.given
	g.lent.given = nil
	if atomic.LoadUint32(&a.ended) == 0 {
		a.task = t
		return
	}
	_ = t.Free() // it was ours
	g.lent.idle = k
}

// refused is for an arm that could not begin.
func (g *group) refused(a *arm, err error) {
	g.lent.idle, g.lent.given = g.lent.given, nil
	n := len(g.arms)
	g.arms = g.arms[:n-1] // it has not begun if the parent unwinds
	g.unbegun++
	orphans := g.unwinds(err)
	g.arms = g.arms[:n]
	g.unbegun--
	if orphans {
		var opts [3]ctx.Option
		opts[0] = ctx.WithOnEnd(a)
		g.kin(&opts[1])
		g.lent.get(g.size)
		g.storage(&opts[2])
		var t *ctx.Task
		if t, err = ctx.Spawn(a.body, opts[:]...); err == nil {
			g.started(a, t)
			return
		}
	}
	a.end(err)
}

// unwinds is for an arm that was refused with err. If that is because the parent
// was asked to end, the parent unwinds here, and unwinds does not return. If it
// does so already, unwinds reports true: arms begin without a parent, since a
// deferred call may use what does not wait.
func (g *group) unwinds(err error) bool {
	var asked *cancel.Error
	if g.parent == nil || g.orphans || !errors.As(err, &asked) || !g.parent.CancelPending() {
		return false
	}
	g.orphans = g.park() == cancel.ErrUnwinding
	return g.orphans
}

// skip is for the arms that are not to begin.
func (g *group) skip() {
	g.word.Add(-uint64(g.unbegun))
	g.unbegun = 0
}

// stop ends an arm that has no task, unless somebody else is about to.
func (a *arm) stop() {
	switch {
	case a.timing:
		if a.timing = false; a.timer.Stop() {
			a.lose()
		}
	case a.from != nil && a.g.halt == nil && atomic.LoadUint32(&a.ended) == 0: // no receiver yet
		a.lose()
	}
}

// lose counts the arm down without a result.
func (a *arm) lose() resume.Handle {
	g, index := a.g, a.index
	a.err = lost
	release.Store32(&a.ended, 1)
	return g.end(index, false)
}

// free gives the arm's task back.
func (a *arm) free() {
	if a.task != nil {
		_ = a.task.Free() // it has ended, and was ours
		a.task = nil
	}
	a.fn, a.err, a.ended = nil, nil, 0
	if a.timer != nil {
		if a.timing = false; bubbles() {
			a.timer = nil // it belongs to one, or may
		}
	}
	a.other, a.from, a.to = nil, nil, nil
}
