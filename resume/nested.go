package resume

import (
	"sync"
	"sync/atomic"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/internal/nest"
	"github.com/stackhop/stackhop/internal/release"
)

// A Publish may resume the very task that it is given the handle of, or another task
// with a Publish that resumes the first. If such tasks suspend again and again, each
// round would nest in the one before, on the resumer's stack. So beyond a certain depth
// a suspension is not published inside the other Publish calls: the innermost call
// publishes it after its own Publish has returned.
//
// Only a table of goroutines tells that a call is inside a Publish, and an entry for
// each suspension would cost too much. So a slot makes an entry now and then, see
// probes. If its resumer has one already, Publish calls nest: then the slot makes an
// entry at each suspension, until no call has nested for some time.

// Slot.nested is 0, or
const (
	noted  = 1  // the last suspension was published by a call that notes itself
	sticky = 64 // so are as many of the following ones, if they do not nest
)

// probes reports whether the next suspension is noted: one of 32 is, and not always
// the same of each 32, for a task may suspend in turn on one goroutine and another.
func (s *Slot) probes() bool { return (s.gen^s.gen>>4)&probing == 0 }

const probing = 31 * generation

// A publication is a goroutine that is in Publish calls that note themselves. Only
// the goroutine itself looks at more than the key.
type publication struct {
	key   uint64 // stackhop.GoroutineKey; 0: free
	depth int    // of Publish calls
	first *Slot  // suspended, to be published by the innermost call; others by link
	last  *Slot
	extra bool // it is one of extras
	again bool // the next call is made by finish
	_     [24]byte
}

// publications are those that are under way. Each key has a place; when that is taken,
// one of the seven beside it; and when all are taken, an entry in extras. A goroutine that has left
// its place to another one and then finds it free may have two publications: then
// it nests some levels deeper.
var (
	publications [64][8]publication
	extras       sync.Map // key → *publication
	extra        atomic.Int64
)

// placesOf returns the key's places, and which is the first.
func placesOf(key uint64) (places *[8]publication, first uint64) {
	const golden = 0x9e3779b97f4a7c15 // 2^64 divided by the golden ratio: neighbours spread
	hash := key * golden
	return &publications[hash>>58], hash >> 55 & 7
}

// publicationOf returns the publication of the calling goroutine, or nil.
func publicationOf(key uint64) *publication {
	places, i := placesOf(key)
	switch atomic.LoadUint64(&places[i].key) {
	case key:
		return &places[i]
	case 0:
		return nil
	}
	for i := range places {
		if atomic.LoadUint64(&places[i].key) == key {
			return &places[i]
		}
	}
	if extra.Load() != 0 {
		if p, ok := extras.Load(key); ok {
			return p.(*publication)
		}
	}
	return nil
}

// newPublication makes one.
func newPublication(key uint64) *publication {
	places, i := placesOf(key)
	for range places {
		if p := &places[i]; atomic.LoadUint64(&p.key) == 0 && atomic.CompareAndSwapUint64(&p.key, 0, key) {
			return p
		}
		i = (i + 1) & 7
	}
	p := &publication{key: key, extra: true}
	extra.Add(1)
	extras.Store(key, p)
	return p
}

// free is called when the outermost Publish is over.
func (p *publication) free() {
	if p.extra {
		extras.Delete(p.key)
		extra.Add(-1)
	}
	release.Store64(&p.key, 0)
}

// postponed is called before a slot is published if its last Publish was noted. It
// returns true if this Publish would be nested too deep. The innermost Publish call then
// makes it.
//
//go:noinline
func (s *Slot) postponed() bool {
	p := publicationOf(uint64(stackhop.GoroutineKey()))
	if p == nil {
		s.nested--
		return false
	}
	s.nested = sticky
	if p.depth < nest.Max {
		return false
	}
	if p.first == nil {
		p.first = s
	} else {
		p.last.link = s
	}
	p.last = s
	return true
}

// notes enters the calling goroutine, which is about to call a Publish for s.
//
//go:noinline
func (s *Slot) notes() *publication {
	key := uint64(stackhop.GoroutineKey())
	if p := publicationOf(key); p != nil {
		s.nested = sticky
		return p
	}
	s.nested = max(s.nested, noted)
	return newPublication(key)
}

// call calls to.Publish(h), and publishes what is due after it.
//
//go:noinline
func (p *publication) call(to Publisher, h Handle) {
	if p.again {
		p.again = false
		to.Publish(h)
		return
	}
	depth := p.depth
	p.depth = depth + 1
	defer p.finish(depth)
	to.Publish(h)
}

// drop is for a call that was not made.
func (p *publication) drop() {
	if p.depth == 0 {
		p.free()
	}
}

// finish publishes what is due, at the depth of the call that is over. If one of
// these Publish calls panics, the others are still made.
func (p *publication) finish(depth int) {
	defer func() {
		if p.first != nil {
			p.finish(depth)
			return
		}
		if p.depth = depth; depth == 0 {
			p.free()
		}
	}()
	for p.first != nil {
		s := p.first
		p.first, s.link = s.link, nil
		p.depth = depth + 1 // again, if a call further in has panicked
		p.again = true
		next := s.publish()
		p.again = false
		_ = Run(next)
	}
}
