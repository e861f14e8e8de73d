package sched_test

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
	"github.com/stackhop/stackhop/sched"
)

func Example() {
	loop := sched.NewLoop()
	for _, name := range []string{"anna", "bert"} {
		_ = loop.Go(func(t *ctx.Task) { // begins in Drain
			for i := range 2 {
				fmt.Println(name, i)
				_ = loop.Yield(t) // the others first
			}
		})
	}
	fmt.Println("drained:", loop.Drain())
	// Output:
	// anna 0
	// bert 0
	// anna 1
	// bert 1
	// drained: <nil>
}

func ExampleLoop_Sleep() {
	loop := sched.NewLoop()
	for _, d := range []time.Duration{60, 1, 30} {
		_ = loop.Go(func(t *ctx.Task) {
			_ = loop.Sleep(t, d*time.Millisecond)
			fmt.Println("slept", int(d), "ms")
		})
	}
	_ = loop.Drain()
	// Output:
	// slept 1 ms
	// slept 30 ms
	// slept 60 ms
}

func ExamplePool() {
	pool, err := sched.NewPool(4)
	if err != nil {
		fmt.Println(err)
		return
	}
	var sum atomic.Int64
	for i := range 100 {
		_ = pool.Go(func(t *ctx.Task) {
			_ = pool.Yield(t)
			sum.Add(int64(i))
		})
	}
	fmt.Println(pool.Wait(), sum.Load())
	fmt.Println(pool.Close(), pool.Go(func(*ctx.Task) {}))
	// Output:
	// <nil> 4950
	// <nil> stackhop: closed
}

// What a leaf resumes goes on elsewhere: here, on a loop.
func ExampleVia() {
	loop := sched.NewLoop()
	var waiter resume.Resumer // the leaf's
	task, _ := ctx.Spawn(func(t *ctx.Task) {
		t.Suspend(func(h resume.Handle) { waiter = sched.Via(loop, h) })
		fmt.Println("task: on the loop")
	})
	fmt.Println("leaf:", waiter.Resume(), task.Done())
	_ = loop.RunUntilIdle()
	fmt.Println("done:", task.Done())
	// Output:
	// leaf: <nil> false
	// task: on the loop
	// done: true
}

// A task moves between schedulers.
func ExampleOn() {
	pool, _ := sched.NewPool(2)
	defer pool.Close()
	loop := sched.NewLoop()
	_ = loop.Go(func(t *ctx.Task) {
		fmt.Println("on the loop")
		_ = sched.On(pool, t)
		fmt.Println("on a worker of the pool: long computations here")
		_ = sched.On(loop, t)
		fmt.Println("back on the loop")
	})
	fmt.Println(loop.Drain())
	// Output:
	// on the loop
	// on a worker of the pool: long computations here
	// back on the loop
	// <nil>
}

// A task that blocks the Loop's goroutine, which another task of the Loop would have to
// end. It is reported; HandOver has another goroutine run that one.
func ExampleLoop_OnStall() {
	l := sched.NewLoop()
	reported := make(chan bool)
	l.OnStall(10*time.Millisecond, func(s sched.Stall) {
		fmt.Println(s.Tasks[0].Name, "waits for", s.Tasks[0].WaitsOn)
		close(reported)
	})
	l.HandOver(500 * time.Millisecond)
	c := make(chan int)
	_ = l.Go(func(*ctx.Task) { <-c }, ctx.WithName("the first one"))
	_ = l.Go(func(*ctx.Task) {
		<-reported
		fmt.Println("the second one")
		close(c)
	})
	fmt.Println(l.Drain())
	// Output:
	// the first one waits for chan receive
	// the second one
	// <nil>
}

// A task blocks the Loop's goroutine by a Go channel that another task of the Loop
// sends to. After 20 milliseconds another goroutine runs that one.
func ExampleLoop_HandOver() {
	l := sched.NewLoop()
	l.HandOver(20 * time.Millisecond)
	c := make(chan string)
	_ = l.Go(func(*ctx.Task) { fmt.Println(<-c) })
	_ = l.Go(func(*ctx.Task) { c <- "from the second task" })
	fmt.Println(l.Drain())
	// Output:
	// from the second task
	// <nil>
}
