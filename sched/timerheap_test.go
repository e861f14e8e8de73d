package sched

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The heap against a sorted list, with many equal times.
func TestTimerHeapAgainstModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var h timerHeap
		var model []*Timer
		var seq uint64
		rt.Repeat(map[string]func(*rapid.T){
			"push": func(rt *rapid.T) {
				seq++
				timer := &Timer{when: int64(rapid.IntRange(0, 9).Draw(rt, "when")), seq: seq}
				h.push(timer)
				i, _ := slices.BinarySearchFunc(model, timer, func(a, b *Timer) int {
					if a.before(b) {
						return -1
					}
					return 1
				})
				model = slices.Insert(model, i, timer)
			},
			"remove": func(rt *rapid.T) {
				if len(model) == 0 {
					rt.Skip("empty")
				}
				i := rapid.IntRange(0, len(model)-1).Draw(rt, "which")
				h.remove(model[i].at - 1)
				require.Zero(rt, model[i].at)
				model = slices.Delete(model, i, i+1)
			},
			"": func(rt *rapid.T) {
				require.Len(rt, h, len(model))
				if len(model) != 0 {
					require.Same(rt, model[0], h[0])
				}
				for i, timer := range h {
					require.Equal(rt, i+1, timer.at)
				}
			},
		})
	})
}

func TestRingAgainstModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var r ring
		var model []*startWith
		pop := func(rt *rapid.T, pop func() item, at func() int) {
			if len(model) == 0 {
				rt.Skip("empty")
			}
			i := at()
			require.Same(rt, model[i], pop().call)
			model = slices.Delete(model, i, i+1)
		}
		rt.Repeat(map[string]func(*rapid.T){
			"push many": func(rt *rapid.T) {
				for range rapid.IntRange(1, ringMin).Draw(rt, "n") {
					s := new(startWith)
					r.pushBack(item{call: s})
					model = append(model, s)
				}
			},
			"oldest": func(rt *rapid.T) { pop(rt, r.popFront, func() int { return 0 }) },
			"newest": func(rt *rapid.T) { pop(rt, r.popBack, func() int { return len(model) - 1 }) },
			"":       func(rt *rapid.T) { require.Equal(rt, len(model), r.n) },
		})
		for range model {
			r.popFront()
		}
		for _, it := range r.buf {
			require.Zero(rt, it, "what has left must not be kept alive")
		}
	})
}
