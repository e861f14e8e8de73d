package guard_test

import (
	"errors"
	"fmt"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/guard"
	"github.com/stackhop/stackhop/mmapstack"
)

func Example() {
	stack, err := guard.New(guard.Growing, 64<<10)
	if err != nil {
		fmt.Println(err)
		return
	}
	var depth func(n int) int
	depth = func(n int) int {
		if n == 0 {
			return 0
		}
		return depth(n-1) + 1
	}

	c, err := stackhop.New(stack.Region(), func(*stackhop.Coro) {
		defer func() {
			if err, _ := recover().(error); err != nil && !errors.Is(err, guard.ErrOverflow) {
				fmt.Println(err)
			}
			fmt.Println("the body goes on")
		}()
		depth(100_000) // some megabytes; on a backend with stacks of the runtime it fits
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	c.Switch()
	fmt.Println(stack.Close())
	// Output:
	// the body goes on
	// <nil>
}

// A pool for each power of two: requests of similar sizes share it.
func ExampleDefault() {
	sized := func(bytes int) (*mmapstack.Pool, error) {
		pool, err := guard.Default(bytes)
		if errors.Is(err, guard.ErrTrap) { // stacks cannot grow in place here
			return mmapstack.Default(bytes), nil
		}
		return pool, err
	}
	pool, err := sized(50_000)
	if err != nil {
		fmt.Println(err)
		return
	}
	other, _ := sized(60_000)
	fmt.Println("one pool:", pool == other)

	s, err := pool.Get()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("64 KiB at least:", s.Size() >= 64<<10)
	pool.Put(s)
	// Output:
	// one pool: true
	// 64 KiB at least: true
}
