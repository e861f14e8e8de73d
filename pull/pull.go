package pull

import (
	"iter"
	"sync"

	"github.com/stackhop/stackhop"
)

// fast reports whether the kernel's own switch serves in this process.
var fast = sync.OnceValue(func() bool { return stackhop.Backend().Name == "asm" })

// standIn reports whether Pull should do iter.Pull's work here.
func standIn() bool { return fast() && !stackhop.InBubble() }

// Pull stands in for iter.Pull, with the same contract: it turns the
// push-style iterator seq into the functions next and stop.
//
// Next returns the next value of seq and true, and zero and false for ever
// after the end, after stop, and after seq panicked or called runtime.Goexit.
// Stop ends the iteration: yield returns false to seq. It must be called unless
// next has returned false; otherwise a goroutine is kept for ever; it may be called
// repeatedly. A panic of seq comes out of the call of next or stop that
// ran it, with the same value; so does runtime.Goexit.
//
// Next panics if seq calls it, and yield if a value was given and next not
// called since. Next and stop may be called from any goroutine, one at a time.
//
// The iterator runs on a stack that the Go runtime owns, and may recurse as
// deeply as any goroutine. PullOn and PullFrom run it on the caller's stack.
func Pull[V any](seq iter.Seq[V]) (next func() (V, bool), stop func()) {
	if !standIn() {
		return iter.Pull(seq)
	}
	p := &puller[V]{core: core{shape: shapeOf[V]()}}
	p.co = native(p.body(seq))
	return p.next(p.co), p.stop
}

// Pull2 stands in for iter.Pull2: see Pull.
func Pull2[K, V any](seq iter.Seq2[K, V]) (next func() (K, V, bool), stop func()) {
	if !standIn() {
		return iter.Pull2(seq)
	}
	p := &puller2[K, V]{core: core{shape: shapeOf2[K, V]()}}
	p.co = native(p.body(seq))
	return p.next(p.co), p.stop
}

// native makes a coroutine on a stack of the runtime.
func native(body func(*stackhop.Coro)) *stackhop.Coro {
	co, err := stackhop.New(stackhop.Region{}, body)
	if err != nil {
		panic("BUG: pull: " + err.Error()) // the zero Region cannot be wrong
	}
	return co
}
