package tests

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/guard"
	"github.com/stackhop/stackhop/internal/testsupport"
	"github.com/stackhop/stackhop/mmapstack"
)

var _ = testsupport.Child("overflows", func() {
	pool, err := guard.NewPool(guard.Growing, []int{64 << 10, 0, 256 << 10}[envInt(overflowSeedEnv)%3])
	check(err)
	stop := observeAll()

	const workers = 4
	var left atomic.Int64
	left.Store(int64(envInt(overflowCountEnv)))
	var wg sync.WaitGroup
	before := stackInuse()
	for w := range workers {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(envInt(overflowSeedEnv)), uint64(w)))
			near := newNeighbours(pool)
			for left.Add(-1) >= 0 {
				overflowOnce(pool, rnd)
				near.check()
			}
			near.end()
		})
	}
	wg.Wait()
	stop()
	// Each overflow that lost the stack that copystack had allocated would have
	// cost 512 KiB or more.
	if after := stackInuse(); after > before+8<<20 {
		panic(fmt.Sprintf("StackInuse grew from %d to %d", before, after))
	}
	if st := pool.Stats(); st.InUse != 0 {
		panic(fmt.Sprintf("%d stacks are out", st.InUse))
	}
	check(pool.Close())
	fmt.Println("ok")
})

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// observeAll has everybody look on until stop is called, each for a fifth of the time
// at most: or else, with one P, nobody would do anything else.
func observeAll() (stop func()) {
	var wg sync.WaitGroup
	done := make(chan struct{})
	for _, look := range []func(){
		runtime.GC,
		func() { stacks() },
		func() { check(pprof.Lookup("goroutine").WriteTo(io.Discard, 0)) },
		func() {
			check(trace.Start(io.Discard))
			time.Sleep(time.Millisecond)
			trace.Stop()
		},
		func() {
			check(pprof.StartCPUProfile(io.Discard))
			time.Sleep(20 * time.Millisecond)
			pprof.StopCPUProfile()
		},
	} {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					began := time.Now()
					look()
					time.Sleep(max(3*time.Millisecond, 4*time.Since(began)))
				}
			}
		})
	}
	return func() { close(done); wg.Wait() }
}

func stackInuse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.StackInuse
}

// overflowOnce runs a task into an overflow, and checks how it ended.
func overflowOnce(pool *mmapstack.Pool, rnd *rand.Rand) {
	d := &descent{rnd: rnd, kind: rnd.IntN(len(descents) + 1), ch: make(chan int, 1), pool: pool}
	recovers := rnd.IntN(4) // how often it recovers itself before
	name := fmt.Sprintf("kind %d, recovers %d", d.kind, recovers)
	task, err := ctx.Spawn(func(t *ctx.Task) {
		d.t = t
		for range recovers {
			recovered(func() { d.shifted(t) })
			d.endChild()
			d.require(name)
			if rnd.IntN(2) == 0 {
				t.Yield()
			} else {
				guard.Rearm()
			}
		}
		d.shifted(t)
	}, ctx.WithPool(pool), ctx.WithName(name))
	check(err)
	for !task.Done() {
		if h := d.handle; h.Live() {
			check(h.Resume())
			continue
		}
		check(task.Resume())
	}
	d.endChild()
	d.require(name)
	var oe *guard.OverflowError
	if err := task.Err(); !errors.As(err, &oe) || oe.Task != name || oe.Call == "" || oe.Stack() == "" {
		panic(fmt.Sprintf("%s ended with %v", name, err))
	}
}

// recovered runs fn into an overflow and recovers.
func recovered(fn func()) {
	defer func() {
		v := recover()
		if err, _ := v.(error); !errors.Is(err, guard.ErrOverflow) {
			panic(fmt.Sprintf("recovered %T %v", v, v))
		}
	}()
	fn()
}

// neighbours are tasks that stand still on stacks beside those that overflow.
type neighbours struct{ tasks []*ctx.Task }

func newNeighbours(pool *mmapstack.Pool) *neighbours {
	n := &neighbours{}
	for i := range 6 {
		t, err := ctx.Spawn(func(t *ctx.Task) {
			depth := 1 + i*16 // some have grown
			keepStill(t, depth, uint64(depth))
		}, ctx.WithPool(pool))
		check(err)
		n.tasks = append(n.tasks, t)
	}
	return n
}

// keepStill has words on the stack at each of depth levels; the deepest yields and
// checks its own for ever, until it is cancelled; the others check theirs then.
func keepStill(t *ctx.Task, depth int, seed uint64) {
	var words [40]uint64
	heap := make([]uint64, 8)
	for i := range words {
		words[i] = seed * uint64(i+depth+1)
		heap[i%8] = words[i]
	}
	verify := func() {
		for i := range words {
			if words[i] != seed*uint64(i+depth+1) || i >= 32 && heap[i%8] != words[i] {
				panic(fmt.Sprintf("a neighbour's word %d at level %d is %#x", i, depth, words[i]))
			}
		}
	}
	defer verify()
	if depth > 0 {
		keepStill(t, depth-1, seed)
		return
	}
	for {
		t.Yield()
		verify()
	}
}

func (n *neighbours) check() {
	for _, t := range n.tasks {
		check(t.Resume())
	}
}

func (n *neighbours) end() {
	for _, t := range n.tasks {
		check(t.Cancel(nil))
		if !t.Done() {
			panic("a neighbour did not end")
		}
	}
}
