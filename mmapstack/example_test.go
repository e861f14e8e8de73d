package mmapstack_test

import (
	"fmt"
	"os"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/mmapstack"
)

func Example() {
	pool, err := mmapstack.NewPool(16 << 10)
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := pool.Get()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.Kind(), s.Size() >= 16<<10, s.Region().Check())

	arm, err := s.Carve(mmapstack.MinSize) // nested storage for a part of the work
	fmt.Println(arm.Kind(), err, arm.Region().Hi <= s.Region().Lo)
	fmt.Println(arm.Close())

	pool.Put(s)
	fmt.Println(pool.Stats().Idle, pool.Trim(), pool.Stats().Idle)
	fmt.Println(pool.Close())
	// Output:
	// pooled true <nil>
	// carved <nil> true
	// <nil>
	// 1 1 0
	// <nil>
}

var tape [32 << 10]byte

func ExampleStatic() {
	s, err := mmapstack.Static(tape[:])
	fmt.Println(s.Kind(), s.Size(), err)
	fmt.Println(s.Close())
	_, err = mmapstack.Static(make([]byte, 32<<10))
	fmt.Println(err != nil)
	// Output:
	// static 24560 <nil>
	// <nil>
	// true
}

// Tasks that handle keys, on stacks that keep nothing of a task when it has ended.
func ExampleWithClear() {
	pool, err := mmapstack.NewPool(64<<10, mmapstack.WithClear())
	if err != nil {
		fmt.Println(err)
		return
	}
	task, err := ctx.Spawn(func(*ctx.Task) {
		key := [32]byte{1, 2, 3} // on the stack
		fmt.Println("first bytes:", key[:3])
	}, ctx.WithPool(pool))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("ended:", task.Done())
	fmt.Println(pool.Close())
	// Output:
	// first bytes: [1 2 3]
	// ended: true
	// <nil>
}

// A pool that keeps less than the default: one page each of 16 stacks.
func ExampleWithIdleBytes() {
	pool, err := mmapstack.NewPool(64<<10, mmapstack.WithKeep(0), mmapstack.WithIdleBytes(16*os.Getpagesize()))
	if err != nil {
		fmt.Println(err)
		return
	}
	var stacks []*mmapstack.Stack
	for range 1000 {
		s, err := pool.Get()
		if err != nil {
			fmt.Println(err)
			return
		}
		stacks = append(stacks, s)
	}
	for _, s := range stacks {
		pool.Put(s)
	}
	fmt.Println("few are idle:", pool.Stats().Idle < 500)
	fmt.Println(pool.Close())
	// Output:
	// few are idle: true
	// <nil>
}

// Half of the default, for a program with two such pools.
func ExampleIdleBytesDefault() {
	pool, err := mmapstack.NewPool(64<<10, mmapstack.WithIdleBytes(mmapstack.IdleBytesDefault()/2))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(mmapstack.IdleBytesDefault() <= mmapstack.IdleDefault)
	fmt.Println(pool.Close())
	// Output:
	// true
	// <nil>
}
