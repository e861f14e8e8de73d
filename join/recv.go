package join

import (
	"reflect"

	"github.com/stackhop/stackhop/resume"
)

// A source is a channel of some type. to is a pointer to such a value, maybe nil.
type source interface {
	// try receives if it can at once. ok is false if the channel is closed.
	try(to any) (got, ok bool)

	// wait receives, unless stop comes first.
	wait(stop <-chan struct{}, to any) (got, ok bool)
}

// from is a channel as a source. It has the shape of a pointer: making it an
// interface allocates nothing.
type from[T any] <-chan T

func (ch from[T]) try(to any) (got, ok bool) {
	select {
	case v, ok := <-ch:
		put(to, v, ok)
		return true, ok
	default:
		return false, false
	}
}

func (ch from[T]) wait(stop <-chan struct{}, to any) (got, ok bool) {
	select {
	case v, ok := <-ch:
		put(to, v, ok)
		return true, ok
	case <-stop:
		return false, false
	}
}

func put[T any](to any, v T, ok bool) {
	if p := to.(*T); ok && p != nil {
		*p = v
	}
}

// tryRecv ends a, if from has something to receive, or makes it an arm for the
// receiver, and reports that.
func (a *arm) tryRecv(from source, to any) (waits bool) {
	got, ok := from.try(to)
	if !got {
		a.from, a.to = from, to
		return true
	}
	a.g.got = a.index + 1
	a.end(closedUnless(ok))
	return false
}

func closedUnless(ok bool) error {
	if ok {
		return nil
	}
	return ErrClosed
}

// startReceiver starts the goroutine that receives for n arms of the group. If
// there is a decision already, they end here.
func (g *group) startReceiver(n int) {
	if g.word.Load()&decided != 0 {
		g.loseReceivers(-1)
		return
	}
	halt := make(chan struct{}, 1)
	g.halt = halt
	if n > 1 {
		go g.receiveAny(halt)
		return
	}
	for i, a := range g.arms {
		if a.from != nil {
			go g.receive(i, halt)
		}
	}
}

// receive receives from the channel of arm i.
func (g *group) receive(i int, halt chan struct{}) {
	a := g.arms[i]
	got, ok := a.from.wait(halt, a.to)
	g.received(i, got, ok)
}

// receiveAny receives from one of several channels.
func (g *group) receiveAny(halt chan struct{}) {
	cases := []reflect.SelectCase{{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(halt)}}
	arms := []int{-1}
	for i, a := range g.arms {
		if a.from != nil {
			cases = append(cases, reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(a.from)})
			arms = append(arms, i)
		}
	}
	chosen, v, ok := reflect.Select(cases)
	i := arms[chosen]
	if ok && i >= 0 {
		if to := reflect.ValueOf(g.arms[i].to); !to.IsNil() {
			to.Elem().Set(v)
		}
	}
	g.received(i, i >= 0, ok)
}

// received ends all receiving arms: arm i with what it got, if it did. The last
// of these calls may be the end of g.
func (g *group) received(i int, got, ok bool) {
	if !got {
		_ = g.loseReceivers(-1).Resume()
		return
	}
	a := g.arms[i]
	g.loseReceivers(i)
	g.got = i + 1
	_ = a.end(closedUnless(ok)).Resume()
}

// loseReceivers counts the receiving arms down, but for number except. The last of
// them may be the end of g: nothing is touched after it.
func (g *group) loseReceivers(except int) resume.Handle {
	var last *arm
	for i, a := range g.arms {
		if a.from != nil && i != except {
			if last != nil {
				last.lose()
			}
			last = a
		}
	}
	if last == nil {
		return resume.Handle{}
	}
	return last.lose()
}
