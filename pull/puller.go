package pull

import (
	"iter"

	"github.com/stackhop/stackhop"
)

// A puller is one Pull. Next and yield are on the path of every element: one
// switch each, no atomics, everything rare in a call. Each captures co itself:
// the loads from one side's SP through co to the other's SP are a chain, and
// its length is most of what an element costs.
type puller[V any] struct {
	core
	v V
}

// A pair lays its values out as words, which is how Go returns them in
// registers: see shapeOf2.
type pair[K, V any] struct {
	k K
	_ [0]uint64
	v V
}

type puller2[K, V any] struct {
	core
	pair[K, V]
}

// body makes the function that the coroutine runs.
func (p *puller[V]) body(seq iter.Seq[V]) func(*stackhop.Coro) {
	return func(co *stackhop.Coro) {
		if p.state == done {
			return // stopped before it started
		}
		defer p.catch(co)
		seq(p.yield(co))
		var zero V
		p.v = zero
		p.returned()
	}
}

// yield makes what seq gets. Inlined elsewhere, the function literal would be
// copied, and the copy call TrySwitch instead of inlining it.
//
//go:noinline
func (p *puller[V]) yield(co *stackhop.Coro) func(V) bool {
	return func(v V) bool {
		if p.state != wanted {
			if p.state == never {
				go unreachable() // L3
			}
			return p.early("Pull")
		}
		p.v, p.ok = v, true
		p.state = idle
		if err := co.TrySwitch(); err != nil {
			return p.stuck(err)
		}
		if p.state != wanted {
			return false
		}
		leaveTrue()
		return true
	}
}

// next makes what the consumer gets.
//
//go:noinline
func (p *puller[V]) next(co *stackhop.Coro) func() (V, bool) {
	return func() (v V, ok bool) {
		if p.state != idle {
			if p.state == never {
				go unreachable() // L3
			}
			p.repeated("Pull")
			return
		}
		p.state = wanted
		if err := co.TrySwitch(); err != nil {
			p.refused(err)
		}
		if p.state != idle {
			p.finish()
			return p.v, p.ok
		}
		leave(&p.core)
		return p.v, true
	}
}

// body makes the function that the coroutine runs.
func (p *puller2[K, V]) body(seq iter.Seq2[K, V]) func(*stackhop.Coro) {
	return func(co *stackhop.Coro) {
		if p.state == done {
			return // stopped before it started
		}
		defer p.catch(co)
		seq(p.yield(co))
		p.pair = pair[K, V]{}
		p.returned()
	}
}

// yield makes what seq gets.
//
//go:noinline
func (p *puller2[K, V]) yield(co *stackhop.Coro) func(K, V) bool {
	return func(k K, v V) bool {
		if p.state != wanted {
			if p.state == never {
				go unreachable() // L3
			}
			return p.early("Pull2")
		}
		p.k, p.v, p.ok = k, v, true
		p.state = idle
		if err := co.TrySwitch(); err != nil {
			return p.stuck(err)
		}
		if p.state != wanted {
			return false
		}
		leaveTrue()
		return true
	}
}

// next makes what the consumer gets.
//
//go:noinline
func (p *puller2[K, V]) next(co *stackhop.Coro) func() (K, V, bool) {
	return func() (k K, v V, ok bool) {
		if p.state != idle {
			if p.state == never {
				go unreachable() // L3
			}
			p.repeated("Pull2")
			return
		}
		p.state = wanted
		if err := co.TrySwitch(); err != nil {
			p.refused(err)
		}
		if p.state != idle {
			p.finish()
			return p.k, p.v, p.ok
		}
		leave(&p.core)
		return p.k, p.v, true
	}
}
