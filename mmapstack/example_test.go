package mmapstack_test

import (
	"fmt"

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
