package leaf_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/leaf"
)

func Example() {
	jobs := leaf.NewChan[string](0)
	worker := func(name string) func(*ctx.Task) {
		return func(*ctx.Task) {
			for {
				job, err := jobs.Recv()
				if errors.Is(err, leaf.ErrClosed) {
					fmt.Println(name, "goes home")
					return
				}
				fmt.Println(name, "does", job)
			}
		}
	}
	for _, name := range []string{"anna", "bert"} {
		if _, err := ctx.Spawn(worker(name)); err != nil {
			panic(err)
		}
	}
	for _, job := range []string{"dishes", "floors", "windows"} {
		_ = jobs.Send(job) // runs the worker, here and now
	}
	_ = jobs.Close()
	// Output:
	// anna does dishes
	// bert does floors
	// anna does windows
	// bert goes home
	// anna goes home
}

func ExampleMutex() {
	var m leaf.Mutex
	_ = m.Lock()
	waiter, _ := ctx.Spawn(func(*ctx.Task) {
		defer fmt.Println("waiter tidies up")
		_ = m.Lock()
		fmt.Println("never reached")
	})
	_, _ = ctx.Spawn(func(*ctx.Task) {
		_ = m.Lock()
		fmt.Println("the next one has it")
		m.Unlock()
	})
	_ = waiter.Cancel(errors.New("too slow"))
	m.Unlock()
	fmt.Println(waiter.Err())
	// Output:
	// waiter tidies up
	// the next one has it
	// cancelled: too slow
}

func ExampleTimeout() {
	var never leaf.Event
	err := leaf.Timeout(time.Millisecond, func(*ctx.Task) error {
		defer fmt.Println("called off")
		return never.Wait()
	})
	fmt.Println(err, errors.Is(err, leaf.ErrTimeout))
	// Output:
	// called off
	// leaf: not done within 1ms true
}

func ExampleCond() {
	var m leaf.Mutex
	c := leaf.NewCond(&m)
	ready := false
	_, _ = ctx.Spawn(func(*ctx.Task) {
		_ = m.Lock()
		defer m.Unlock()
		for !ready {
			if c.Wait() != nil {
				return
			}
		}
		fmt.Println("ready")
	})
	_ = m.Lock()
	ready = true
	c.Signal()
	fmt.Println("set")
	m.Unlock()
	// Output:
	// set
	// ready
}

func ExampleAwait() {
	lines := make(chan string)
	done := make(chan struct{})
	_, _ = ctx.Spawn(func(*ctx.Task) {
		defer close(done)
		for {
			line, ok, err := leaf.Await(lines)
			if !ok || err != nil {
				return
			}
			fmt.Println(line)
		}
	})
	lines <- "from a goroutine"
	close(lines)
	<-done
	// Output: from a goroutine
}
