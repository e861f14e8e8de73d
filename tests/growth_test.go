package tests

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/mmapstack"
)

var growthCount = flag.Int("growth.count", 0, "how many tasks TestGrowthCampaign runs; 0: 600, with -short 40")

// Stacks grow while pointers to locals of the frames above are held, in other
// locals, in the heap, and by other goroutines' channels; the collector runs.
// No address changes, no content does, and nobody copies a frame.
func TestGrowthCampaign(t *testing.T) {
	pool := growPool(t, 256<<10)
	total := *growthCount
	if total == 0 {
		total = 600
		if testing.Short() {
			total = 40
		}
	}
	stop, counts := observeAll(), stackhop.Growth()
	before := stackInuse()
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(7, uint64(w)))
			for range total / 4 {
				task, err := ctx.Spawn(func(t *ctx.Task) {
					for range 1 + rnd.IntN(4) { // deep, shallow, deep: the window stays wide or shrinks
						holdPointers(t, rnd, rnd.IntN(200), nil)
						if rnd.IntN(3) == 0 {
							t.Yield()
						}
					}
				}, ctx.WithPool(pool))
				check(err)
				for !task.Done() {
					check(task.Resume())
				}
				check(task.Err())
			}
		})
	}
	wg.Wait()
	stop()
	require.Less(t, stackInuse(), before+8<<20)
	if cgoProgram {
		t.Log("a program with cgo: windows begin wide, nothing grows; CGO_ENABLED=0 tests it")
	} else {
		require.Greater(t, stackhop.Growth().Grown, counts.Grown+uint64(total))
	}
}

// A held is what a frame knows of the frames above it.
type held struct {
	up    *held
	word  *uint64
	addr  string
	value uint64
	heap  *[4]*uint64
}

// holdPointers takes addresses of its locals, goes deeper, and looks again.
//
//go:noinline
func holdPointers(t *ctx.Task, rnd *rand.Rand, depth int, up *held) {
	var words [24]uint64
	i := rnd.IntN(len(words))
	words[i] = rnd.Uint64()
	h := held{up: up, word: &words[i], addr: fmt.Sprintf("%p", &words[i]), value: words[i], heap: new([4]*uint64)}
	h.heap[depth%4] = new(uint64)
	*h.heap[depth%4] = h.value
	switch rnd.IntN(40) {
	case 0:
		t.Yield()
	case 1:
		runtime.Gosched()
	case 2: // parked in the runtime, a receive into the stack
		ch := make(chan [3]uint64)
		go func() { ch <- [3]uint64{h.value, 2, 3} }()
		if v := <-ch; v != [3]uint64{h.value, 2, 3} {
			panic("received something else")
		}
	}
	if depth > 0 {
		holdPointers(t, rnd, depth-1, &h)
	}
	for p := &h; p != nil; p = p.up {
		if *p.word != p.value || fmt.Sprintf("%p", p.word) != p.addr {
			panic(fmt.Sprintf("%s is at %p and holds %#x, not %#x", p.addr, p.word, *p.word, p.value))
		}
		if rnd.IntN(8) != 0 {
			break // all the way up once in a while
		}
	}
	if *h.heap[depth%4] != h.value {
		panic("what the frame alone refers to is gone")
	}
}

// A stack that has grown begins small again with its next task.
func TestGrownStackShrinksWithItsTask(t *testing.T) {
	pool := growPool(t, 0)
	s, err := pool.Get()
	require.NoError(t, err)
	defer pool.Put(s)
	require.EqualValues(t, mmapstack.FirstDefault, s.Region().First)
	for _, depth := range []int{0, 100, 0, 300, 0, 300} {
		before := stackhop.Growth()
		task, err := ctx.Spawn(func(t *ctx.Task) {
			holdPointers(t, rand.New(rand.NewPCG(1, 1)), depth, nil)
		}, ctx.WithStack(s))
		require.NoError(t, err)
		for !task.Done() {
			require.NoError(t, task.Resume())
		}
		require.NoError(t, task.Err())
		if grown := stackhop.Growth().Grown - before.Grown; cgoProgram {
			require.Zero(t, grown)
		} else if depth > 0 {
			require.NotZero(t, grown, "each deep task finds a small window")
		}
	}
}
