package join

import (
	"time"

	"github.com/stackhop/stackhop/ctx"
)

// An Arm is one of the things that Select waits for. Body, Task, After and Recv
// make them. It is a plain value: giving arms to Select allocates nothing.
type Arm struct {
	kind armKind
	size int
	wait time.Duration
	fn   func(t *ctx.Task) error
	task *ctx.Task
	from source
	to   any // pointer to where what is received goes
}

type armKind uint8

const (
	armNone armKind = iota
	armBody
	armTask
	armTimer
	armRecv
)

// Body is an arm that runs f as a task of its own: a wait at a lock, say, by the
// lock's own method. It wins when f returns, with f's error.
func Body(f func(t *ctx.Task) error) Arm { return Arm{kind: armBody, fn: f} }

// Task is an arm that waits for t to end, which goes on if another arm wins. Its
// error is t's.
func Task(t *ctx.Task) Arm { return Arm{kind: armTask, task: t} }

// After is an arm that wins when d has passed since it was started.
func After(d time.Duration) Arm { return Arm{kind: armTimer, wait: d} }

// Recv is an arm that receives from a Go channel, into *v unless that is nil. A
// closed channel wins with ErrClosed. If nothing is there to be received at once, a
// goroutine waits for it, one for all Recv arms of a Select. A value is
// received only by the arm that Select tells, and is never lost: if one
// arrives while another arm ends, the Recv arm has won. A nil channel never
// wins.
func Recv[T any](ch <-chan T, v *T) Arm { return Arm{kind: armRecv, from: from[T](ch), to: v} }

// Size returns the arm with another size of stack than the Select's: see the
// type Size. Only bodies and tasks use one.
func (a Arm) Size(s Size) Arm {
	a.size = int(s)
	return a
}

// Select starts the arms, in order, and returns when the first has ended: its
// number, from 0, and its error. The others are cancelled for ErrLost, and have
// ended, too. Arms after one that ended at once are not started: so of several
// that are ready the first wins. Without arms it returns -1 and ErrNoArms, with more
// than MaxRecv that are made by Recv -1 and an *ArmsError: none has begun then.
func Select(arms ...Arm) (int, error) { return Size(0).Select(arms...) }

// Select is the function Select, with stacks of size s.
func (s Size) Select(arms ...Arm) (int, error) {
	if len(arms) == 0 {
		return -1, ErrNoArms
	}
	if err := fitsSelect(arms); err != nil {
		return -1, err
	}
	g := open(firstEnd, int(s), len(arms))
	defer g.close()
	g.startArms(arms)
	g.wait()
	if g.got != 0 {
		i := int(g.got) - 1
		return i, g.arms[i].err
	}
	return g.first()
}

// fitsSelect returns an *ArmsError if the arms are too many.
func fitsSelect(arms []Arm) error {
	if len(arms) <= MaxRecv {
		return nil
	}
	recv := 0
	for i := range arms {
		if arms[i].kind == armRecv {
			recv++
		}
	}
	if recv > MaxRecv {
		return &ArmsError{Arms: recv, Limit: MaxRecv, Recv: true}
	}
	return fits(len(arms))
}

// startArms is start for arms of all kinds.
func (g *group) startArms(arms []Arm) {
	var opts [3]ctx.Option // see start
	g.kin(&opts[1])
	size, receivers := g.size, 0
	for i := range arms {
		arm, a := &arms[i], g.arm()
		switch arm.kind {
		case armBody:
			a.fn = arm.fn
		case armTask:
			a.waitFor(arm.task)
		case armTimer:
			a.startTimer(arm.wait)
		case armRecv:
			if a.tryRecv(arm.from, arm.to) {
				receivers++
			}
		default:
			a.end(ErrNoArm)
		}
		if a.fn != nil {
			if g.size = size; arm.size != 0 {
				g.size = arm.size
				g.lent.open(g.parent)
			}
			opts[0] = ctx.WithOnEnd(a)
			g.lent.get(g.size)
			g.storage(&opts[2])
			if t, err := ctx.Spawn(a.body, opts[:]...); err != nil {
				g.refused(a, err)
				g.kin(&opts[1])
			} else {
				g.started(a, t)
			}
		} else if arm.kind == armBody {
			a.end(ctx.ErrNilBody)
		}
		if g.word.Load()&decided != 0 {
			g.skip()
			break
		}
	}
	if receivers != 0 {
		g.startReceiver(receivers)
	}
}

// waitFor makes a the arm that waits for t.
func (a *arm) waitFor(t *ctx.Task) {
	switch {
	case t == nil:
		a.end(ErrNoArm)
	case t.Done():
		a.end(t.Err())
	default:
		if a.await == nil {
			a.await = func(*ctx.Task) error { return a.other.Wait() }
		}
		a.other, a.fn = t, a.await
	}
}

// startTimer makes a the arm that ends when d has passed.
func (a *arm) startTimer(d time.Duration) {
	switch {
	case d <= 0:
		a.end(nil)
		return
	case a.timer != nil && !bubbles():
		a.timing = true
		a.timer.Reset(d)
		return
	case a.fire == nil:
		a.fire = func() { _ = a.end(nil).Resume() }
	}
	a.timing = true
	a.timer = time.AfterFunc(d, a.fire)
}
