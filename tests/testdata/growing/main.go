// Command growing runs tasks on stacks that grow in place and overflow, and looks after
// its heap meanwhile. Tests build it in ways that change the Go runtime: with each
// GOEXPERIMENT, with a profile, with more inlining. It prints what it found, a line
// each, and ok last.
//
//	backend asm
//	growth on
//	stacks growing
//	grown 3600 overflowed 300
//	ok
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"time"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/guard"
	"github.com/stackhop/stackhop/mmapstack"
)

var (
	tasks   = flag.Int("tasks", 300, "how many `tasks` run on each storage")
	profile = flag.String("cpuprofile", "", "write a CPU profile to this `file`")
	seconds = flag.Duration("for", 0, "repeat for this `time`")
)

func main() {
	flag.Parse()
	if err := run(); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("ok")
}

func run() error {
	if *profile != "" {
		f, err := os.Create(*profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	debug.SetGCPercent(20)
	b := stackhop.Backend()
	fmt.Printf("backend %s\n", b.Name)
	growth := guard.Install()
	if growth == nil {
		fmt.Println("growth on")
	} else {
		fmt.Printf("growth off: %v\n", growth)
	}
	opts, close, err := storage(b.Name == "asm" && growth == nil)
	if err != nil {
		return err
	}
	before := stackhop.Growth()
	heap := newHeap()
	for start := time.Now(); ; {
		for i := range *tasks {
			if err := one(i, opts...); err != nil {
				return err
			}
		}
		goroutines(*tasks)
		if err := heap.check(); err != nil {
			return err
		}
		if time.Since(start) >= *seconds {
			break
		}
	}
	after := stackhop.Growth()
	fmt.Printf("grown %d overflowed %d\n", after.Grown-before.Grown, after.Overflowed-before.Overflowed)
	return close()
}

// storage chooses the stacks: those that grow where they can, strict ones, or the
// runtime's own where nothing can be mapped.
func storage(grows bool) (opts []ctx.Option, close func() error, err error) {
	policy := guard.Strict
	if grows {
		policy = guard.Growing
	}
	if err := stackhop.Mapped(); err != nil {
		fmt.Printf("stacks native: %v\n", err)
		var pool *mmapstack.Pool
		if pool, err = guard.NewPool(guard.Strict, 256<<10); err != nil {
			return nil, nil, err
		}
		_, err = ctx.Spawn(func(*ctx.Task) { panic("runs on a mapped stack") }, ctx.WithPool(pool))
		if !errors.Is(err, stackhop.ErrUnmapped) {
			return nil, nil, fmt.Errorf("Spawn on a mapped stack: %w", err)
		}
		return []ctx.Option{ctx.WithNativeStack()}, pool.Close, nil
	}
	pool, err := guard.NewPool(policy, 256<<10)
	if err != nil {
		return nil, nil, err
	}
	fmt.Printf("stacks %v\n", policy)
	return []ctx.Option{ctx.WithPool(pool)}, pool.Close, nil
}

// one runs a task to its end: it goes deep, yields, goes deep again; with stacks that
// can overflow every fourth does.
func one(i int, opts ...ctx.Option) error {
	mayOverflow := stackhop.GrowthEnabled() && i%4 == 0
	task, err := ctx.Spawn(func(t *ctx.Task) {
		c := make(chan int, 1)
		for depth := 10; depth <= 640; depth *= 4 {
			if got := deep(depth, c); got != depth*(depth+1)/2 {
				panic(fmt.Sprintf("deep(%d) returned %d", depth, got))
			}
			t.Yield()
		}
		if mayOverflow {
			deep(1<<20, c)
		}
	}, opts...)
	if err != nil {
		return err
	}
	for !task.Done() {
		if err := task.Resume(); err != nil {
			return err
		}
	}
	var overflow *guard.OverflowError
	if mayOverflow && errors.As(task.Err(), &overflow) {
		return nil
	}
	if mayOverflow {
		return fmt.Errorf("task %d overflowed, and ended with %w", i, task.Err())
	}
	return task.Err()
}

// goroutines grow stacks as the runtime does, n of them.
func goroutines(n int) {
	for range n {
		done := make(chan int, 1)
		go func() { done <- deep(320, done) }()
		<-done
	}
}

// deep has pointers to its own frame and to the heap in each of n frames.
//
//go:noinline
func deep(n int, c chan int) int {
	if n == 0 {
		return 0
	}
	var local [16]int
	p := &local[n%16]
	heap := new(int)
	*heap, *p = n, n
	sum := deep(n-1, c)
	if n%64 == 0 {
		c <- sum
		sum = <-c
	}
	if *heap != n || local[n%16] != n {
		panic(fmt.Sprintf("frame %d: %d on the heap, %d on the stack", n, *heap, local[n%16]))
	}
	return sum + *p
}

// A heap is objects of many sizes, each filled with one byte.
type heap [][]byte

func newHeap() heap {
	var h heap
	for size := 8; size <= 32<<10; size += size/4&^7 + 8 {
		for range 40 {
			b := make([]byte, size)
			for i := range b {
				b[i] = byte(len(h))
			}
			h = append(h, b)
		}
	}
	return h
}

func (h heap) check() error {
	runtime.GC()
	for i, b := range h {
		for at, v := range b {
			if v != byte(i) {
				return fmt.Errorf("heap object %d of %d bytes: %#x at %d, want %#x", i, len(b), v, at, byte(i))
			}
		}
	}
	return nil
}
