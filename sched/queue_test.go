package sched

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/stackhop/stackhop/ctx"
)

// numbered makes items that tell which they are.
type numbered int

func (numbered) run(owner) {}

func (q *queue) takeNumber(t require.TestingT) int {
	it, ok := q.take()
	require.True(t, ok)
	return int(it.call.(numbered))
}

// However many new items keep coming, each is taken in the end.
func TestNothingInAQueueIsLeftBehind(t *testing.T) {
	for name, fresh := range map[string]bool{"that begins": true, "that goes on": false} {
		t.Run(name, func(t *testing.T) {
			var q queue
			for i := range 100 {
				q.add(item{call: numbered(i)}, fresh)
			}
			left := 100
			for turn := 0; left > 0; turn++ {
				require.LessOrEqual(t, turn, 100*oldestTurn)
				if q.takeNumber(t) < 100 {
					left--
				}
				q.add(item{call: numbered(1000)}, turn%3 == 0) // a new one
			}
		})
	}
}

func TestQueueOrder(t *testing.T) {
	var q queue
	for i := range 3 {
		q.add(item{call: numbered(i)}, false)
		q.add(item{call: numbered(10 + i)}, true)
	}
	var got []int
	for range 6 {
		got = append(got, q.takeNumber(t))
	}
	require.Equal(t, []int{0, 1, 2, 12, 11, 10}, got, "what goes on before what begins, and of that the newest")
	_, ok := q.take()
	require.False(t, ok)
}

// A thief gets the older half of both kinds, as much as it can carry, and all
// is there in the end.
func TestLootAgainstModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		ready, fresh := rapid.IntRange(0, 200).Draw(rt, "ready"), rapid.IntRange(0, 200).Draw(rt, "fresh")
		var victim, thief queue
		for i := range ready {
			victim.add(item{call: numbered(i)}, false)
		}
		for i := range fresh {
			victim.add(item{call: numbered(1000 + i)}, true)
		}
		var l loot
		victim.mu.Lock()
		victim.give(&l, true)
		require.Zero(rt, l.n, "somebody uses the queue")
		victim.mu.Unlock()

		victim.give(&l, false)
		wantReady := min((ready+1)/2, maxLoot)
		wantFresh := min((fresh+1)/2, maxLoot-wantReady)
		require.Equal(rt, wantReady, l.ready)
		require.Equal(rt, wantReady+wantFresh, l.n)
		if l.n == 0 {
			return
		}
		first := int(thief.keep(&l, true).call.(numbered))
		if ready == 0 {
			require.Equal(rt, 1000, first)
		} else {
			require.Zero(rt, first)
		}
		require.Zero(rt, l.n)
		require.Zero(rt, l.items, "what it carried must not be kept alive")
		require.EqualValues(rt, wantReady+wantFresh, thief.stats.Stolen)
		seen := map[int]bool{first: true}
		for _, q := range []*queue{&victim, &thief} {
			for !q.empty() {
				n := q.takeNumber(rt)
				require.False(rt, seen[n])
				seen[n] = true
			}
		}
		require.Len(rt, seen, ready+fresh)
	})
}

func TestAClosedQueueTakesNothing(t *testing.T) {
	p := &Pool{workers: []*worker{new(worker), new(worker)}}
	require.True(t, p.workers[1].add(item{call: start(func(*ctx.Task) {})}, true))
	require.False(t, p.shut(), "not empty")
	require.True(t, p.inject.add(item{}, false), "and so none is closed")
	p.inject.takeAll()
	p.workers[1].takeAll()
	require.True(t, p.shut())
	require.False(t, p.inject.add(item{}, false))
	require.False(t, p.workers[0].add(item{}, true))
}

func (q *queue) takeAll() {
	for !q.empty() {
		q.take()
	}
}
