package sched

import "sync/atomic"

// When a task holds up the goroutine of Run, a relay hands the Loop or the Net to a
// substitute: another goroutine, which runs it until Run's goroutine comes back. A
// substitute that is held up is replaced too.
//
//	R1  One goroutine at a time is the runner: the one in Run, or the substitute
//	    started last. beat.replace and beat.end decide when one is replaced.
//	R2  Run's goroutine, when it is replaced and its item has ended, asks for its
//	    place by recall, and waits for back. The runner sends on back when it
//	    sees recall between two items, and returns. If the runner is held up itself,
//	    its substitute does so.
//	R3  Only Run's goroutine ends a run. A substitute with nothing to do waits.
type relay struct {
	recall atomic.Bool
	back   chan struct{}
}

func newRelay() relay { return relay{back: make(chan struct{}, 1)} }

// comeBack waits until the caller, Run's goroutine, is the runner again. rouse has a
// substitute look at recall.
func (r *relay) comeBack(rouse func()) {
	r.recall.Store(true)
	rouse()
	<-r.back
}

// giveBack makes Run's goroutine the runner, if it asks for it. The caller is the runner.
func (r *relay) giveBack() bool {
	if !r.recall.CompareAndSwap(true, false) {
		return false
	}
	r.back <- struct{}{}
	return true
}

// takeOver has a substitute go on in place of a runner that has been replaced.
func (r *relay) takeOver(substitute func()) {
	if !r.giveBack() {
		go substitute()
	}
}
