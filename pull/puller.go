package pull

import (
	"iter"

	"github.com/stackhop/stackhop"
)

// A puller is one Pull. Next and yield are on the path of every element: one
// switch each, no atomics, everything rare in a call.
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

// body makes the function that the coroutine runs. Inlined elsewhere, its
// closures would be copied, and the copies call TrySwitch without inlining it.
//
//go:noinline
func (p *puller[V]) body(seq iter.Seq[V]) func(*stackhop.Coro) {
	yield := func(v V) bool {
		if p.state != wanted {
			if p.state == never {
				go unreachable() // L3
			}
			return p.early("Pull")
		}
		p.v, p.ok = v, true
		p.state = idle
		if err := p.co.TrySwitch(); err != nil {
			return p.stuck(err)
		}
		if p.state != wanted {
			return false
		}
		leaveTrue()
		return true
	}
	return func(*stackhop.Coro) {
		p.run(func() {
			seq(yield)
			var zero V
			p.v = zero
		})
	}
}

// ends makes what the consumer gets.
//
//go:noinline
func (p *puller[V]) ends() (next func() (V, bool), stop func()) {
	next = func() (v V, ok bool) {
		if p.state != idle {
			if p.state == never {
				go unreachable() // L3
			}
			p.repeated("Pull")
			return
		}
		p.state = wanted
		if err := p.co.TrySwitch(); err != nil {
			p.refused(err)
		}
		if p.state != idle {
			p.finish()
			return p.v, p.ok
		}
		leave(&p.core)
		return p.v, true
	}
	return next, p.stop
}

// body makes the function that the coroutine runs. Inlined elsewhere, its
// closures would be copied, and the copies call TrySwitch without inlining it.
//
//go:noinline
func (p *puller2[K, V]) body(seq iter.Seq2[K, V]) func(*stackhop.Coro) {
	yield := func(k K, v V) bool {
		if p.state != wanted {
			if p.state == never {
				go unreachable() // L3
			}
			return p.early("Pull2")
		}
		p.k, p.v, p.ok = k, v, true
		p.state = idle
		if err := p.co.TrySwitch(); err != nil {
			return p.stuck(err)
		}
		if p.state != wanted {
			return false
		}
		leaveTrue()
		return true
	}
	return func(*stackhop.Coro) {
		p.run(func() {
			seq(yield)
			p.pair = pair[K, V]{}
		})
	}
}

// ends makes what the consumer gets.
//
//go:noinline
func (p *puller2[K, V]) ends() (next func() (K, V, bool), stop func()) {
	next = func() (k K, v V, ok bool) {
		if p.state != idle {
			if p.state == never {
				go unreachable() // L3
			}
			p.repeated("Pull2")
			return
		}
		p.state = wanted
		if err := p.co.TrySwitch(); err != nil {
			p.refused(err)
		}
		if p.state != idle {
			p.finish()
			return p.k, p.v, p.ok
		}
		leave(&p.core)
		return p.k, p.v, true
	}
	return next, p.stop
}
