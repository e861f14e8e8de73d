package sched

import (
	"fmt"
	"time"
)

// OnStall sets the function that the Pool calls when every worker has been busy with one
// task for the time after, as Loop.OnStall does for a Loop. As long as one worker goes
// on, it runs what is queued anywhere, and the Pool does not stand still.
func (p *Pool) OnStall(after time.Duration, f func(Stall)) { p.lookout.setStall(after, f) }

// HandOver lets other goroutines take the workers' places when tasks, or functions of
// Do, have kept all workers for the time after while something was queued. 0, the
// default, means never. A task that was held up continues, when it is unblocked, beside
// the workers until its next suspension: for that long more tasks run at the same time
// than the Pool has workers. Close waits for that task. HandOver may be called at any
// time, from any goroutine.
func (p *Pool) HandOver(after time.Duration) { p.lookout.setHand(after) }

func (p *Pool) runners() []runner {
	runners := make([]runner, len(p.workers))
	for i, w := range p.workers {
		runners[i] = runner{beat: &w.beat, owner: w, frame: fmt.Sprintf("sched.(*worker).run(%p", w)}
	}
	return runners
}

func (p *Pool) someWait() bool { return !p.empty() }

func (p *Pool) replace(i int, word uint64) {
	w := p.workers[i]
	p.done.Add(1) // before the other one may end
	p.away.Add(1)
	if !w.beat.replace(word) {
		p.cameBack()
		p.done.Done()
		return
	}
	go func() {
		defer p.done.Done()
		w.work()
	}()
}

// cameBack notes the end of the item of a goroutine that lost its place as a worker.
func (p *Pool) cameBack() {
	if p.away.Add(-1) == 0 {
		p.tryClose()
	}
}

func (p *Pool) setShared(on bool) {
	for _, w := range p.workers {
		w.beat.shared.Store(on)
	}
}
