package tests

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/guard"
	"github.com/stackhop/stackhop/internal/testsupport"
	"github.com/stackhop/stackhop/mmapstack"
	"github.com/stackhop/stackhop/resume"
)

// parkings are what a level of a recursion may do before the next one. Each parks the
// goroutine, or may, or runs the runtime's own code deep below the level.
var parkings = []struct {
	name string
	park func(d *descent, n int)
}{
	{"yield", func(d *descent, _ int) { d.t.Yield() }},
	{"suspend", func(d *descent, _ int) { d.t.Suspend(func(h resume.Handle) { d.handle = h }) }},
	{"sleep", func(*descent, int) { time.Sleep(time.Nanosecond) }},
	{"gosched", func(*descent, int) { runtime.Gosched() }},
	{"channel", func(_ *descent, n int) {
		ch := make(chan int)
		go func() {
			select {
			case ch <- n:
			case <-time.After(time.Second): // the receive has overflowed
			}
		}()
		if <-ch != n {
			panic("received something else")
		}
	}},
	{"select", func(*descent, int) {
		timer := time.NewTimer(1)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-make(chan int):
		}
	}},
	{"pipe", func(d *descent, _ int) {
		var b [1]byte
		go func() { _, _ = d.pipe[1].Write([]byte{1}) }()
		if n, err := d.pipe[0].Read(b[:]); n != 1 || err != nil {
			panic(fmt.Sprint("read ", n, err))
		}
	}},
	{"iopipe", func(*descent, int) {
		r, w := io.Pipe()
		go func() { _, _ = w.Write([]byte{1}) }()
		defer r.Close()
		if n, err := io.ReadFull(r, make([]byte, 1)); n != 1 || err != nil {
			panic(fmt.Sprint("read ", n, err))
		}
	}},
	{"syscall", func(*descent, int) { _, _ = syscall.Getpid(), os.Getppid() }},
	{"syncmap", func(d *descent, n int) { d.m.Store(n, n); d.m.Load(n - 1) }},
	{"lock", func(d *descent, _ int) {
		d.mu.Lock()
		defer d.mu.Unlock()
		runtime.Gosched()
	}},
	{"once", func(*descent, int) { new(sync.Once).Do(func() { time.Sleep(time.Nanosecond) }) }},
	{"waitgroup", func(*descent, int) {
		var wg sync.WaitGroup
		wg.Go(runtime.Gosched)
		wg.Wait()
	}},
	{"print", func(*descent, int) { print("") }},
	{"fmt", func(_ *descent, n int) { fmt.Fprintf(io.Discard, "%v %q %+v\n", n, "text", struct{ a, b any }{n, "x"}) }},
	{"map", func(_ *descent, n int) {
		m := map[string]int{}
		for i := range 20 {
			m[string(rune('a'+i))] = n
		}
	}},
	{"json", func(*descent, int) {
		var v any
		if err := json.Unmarshal([]byte(`{"a":[1,2,{"b":null}],"c":"text"}`), &v); err != nil {
			panic(err)
		}
	}},
	{"spawn", func(d *descent, _ int) {
		var err error
		if d.child, err = ctx.Spawn(func(t *ctx.Task) { t.Yield() }, ctx.WithPool(d.pool)); err == nil {
			err = d.child.Resume()
		}
		if err != nil {
			panic(err)
		}
	}},
	{"gc", func(_ *descent, n int) {
		if n%50 == 0 {
			runtime.GC()
		}
	}},
}

// level recurses, and parks at each level. What is done next to the stack's end
// varies with the size of the frames.
//
//go:noinline
func (d *descent) level(n int) int {
	d.in++
	defer func() { d.out++ }()
	which := d.kind
	if which == len(parkings) {
		which = d.rnd.IntN(len(parkings))
	}
	parkings[which].park(d, n)
	switch d.frame {
	case 1:
		var a [200]byte
		return d.wider(n, a[:])
	case 2:
		var a [1000]byte
		return d.wider(n, a[:])
	case 3:
		var a [5000]byte
		return d.wider(n, a[:])
	}
	return d.level(n+1) + 1
}

//go:noinline
func (d *descent) wider(n int, a []byte) int {
	a[n%len(a)] = byte(n)
	r := d.level(n + 1)
	if a[n%len(a)] != byte(n) {
		panic("a frame has changed")
	}
	return r + 1
}

var _ = testsupport.Child("parks", func() {
	rounds := envInt(overflowCountEnv)
	stop := observeAll()
	for _, size := range []int{32 << 10, 64 << 10, 256 << 10} {
		pool, err := guard.NewPool(guard.Growing, size)
		check(err)
		for kind := range len(parkings) + 1 {
			for frame := range 4 {
				for round := range rounds {
					parkAtEachLevel(pool, kind, frame, round)
				}
			}
		}
		for which := range tightParkings {
			for round := range 4 * rounds {
				parkTightly(pool, which, round)
			}
		}
		if err := pool.Close(); err != nil {
			panic(fmt.Sprintf("%v %+v", err, guard.Stats()))
		}
	}
	stop()
	if st := guard.Stats(); st.Forced != 0 || st.Stepped == 0 {
		panic(fmt.Sprintf("%+v", st)) // code that is not the runtime's ran on in the reserve; or nothing came so far
	}
	fmt.Println("ok")
})

// parkAtEachLevel runs a task into an overflow, and checks how it ended.
func parkAtEachLevel(pool *mmapstack.Pool, kind, frame, round int) {
	name := "mixed"
	if kind < len(parkings) {
		name = parkings[kind].name
	}
	name = fmt.Sprintf("%s, frame %d, round %d", name, frame, round)
	d := &descent{rnd: rand.New(rand.NewPCG(uint64(kind), uint64(round))), kind: kind, frame: frame, pool: pool}
	var err error
	d.pipe[0], d.pipe[1], err = os.Pipe()
	check(err)
	defer d.pipe[0].Close()
	defer d.pipe[1].Close()
	task, err := ctx.Spawn(func(t *ctx.Task) {
		d.t = t
		if round%2 == 1 { // a second overflow finds the reserve closed
			recovered(func() { d.lower(round) })
			d.endChild()
			d.require(name)
			t.Yield()
		}
		d.lower(round)
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
	if err := task.Err(); !errors.As(err, &oe) || oe.Task != name {
		panic(fmt.Sprintf("%s ended with %v", name, err))
	}
}

// parkTightly runs a task into two overflows of tightParkings[which].
func parkTightly(pool *mmapstack.Pool, which, round int) {
	name := fmt.Sprintf("tight, %s, round %d", tightParkings[which].name, round)
	d := &descent{rnd: rand.New(rand.NewPCG(uint64(which), uint64(round))), pool: pool, ints: map[int]int{}, ticks: make(chan int)}
	var err error
	d.pipe[0], d.pipe[1], err = os.Pipe()
	check(err)
	defer d.pipe[0].Close()
	defer d.pipe[1].Close()
	done := make(chan struct{})
	go d.tick(done)
	defer close(done)
	task, err := ctx.Spawn(func(t *ctx.Task) {
		d.t = t
		recovered(func() { pads[round%len(pads)](0, func() { tightParkings[which].run(d) }) })
		d.endChild()
		t.Yield()
		pads[round%len(pads)](0, func() { tightParkings[which].run(d) })
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
	if n := pool.Stats().InUse; n != 0 {
		panic(fmt.Sprintf("%s: %d stacks are out, %+v", name, n, guard.Stats()))
	}
	if err := task.Err(); !errors.Is(err, guard.ErrOverflow) {
		panic(fmt.Sprintf("%s ended with %v", name, err))
	}
}

// lower begins the recursion by some multiple of 16 bytes lower.
func (d *descent) lower(by int) {
	lowers[by%len(lowers)](d)
}

var lowers = [...]func(d *descent){
	func(d *descent) { d.level(0) },
	func(d *descent) { var a [16]byte; lowered(d, a[:]) },
	func(d *descent) { var a [48]byte; lowered(d, a[:]) },
	func(d *descent) { var a [80]byte; lowered(d, a[:]) },
	func(d *descent) { var a [112]byte; lowered(d, a[:]) },
	func(d *descent) { var a [400]byte; lowered(d, a[:]) },
}

//go:noinline
func lowered(d *descent, a []byte) {
	a[0] = 1
	d.level(0)
	a[len(a)-1]++
}
