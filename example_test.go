package stackhop_test

import (
	"fmt"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/mmapstack"
)

// Both sides of a coroutine: the owner switches in, the body switches back.
func ExampleCoro_Switch() {
	c, err := stackhop.New(stackhop.Region{}, func(c *stackhop.Coro) {
		fmt.Println("body: first part")
		c.Switch()
		fmt.Println("body: second part")
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for !c.Done() {
		fmt.Println("owner")
		c.Switch()
	}
	// Output:
	// owner
	// body: first part
	// owner
	// body: second part
}

func ExampleBackend() {
	info := stackhop.Backend()
	fmt.Println(info.Name == "asm" || info.Name == "portable", info.Reason != "")
	// Output: true true
}

// A stack of the caller's where regions can be used, otherwise one of the runtime.
func ExampleMapped() {
	var region stackhop.Region // the zero Region: a stack of the runtime
	if err := stackhop.Mapped(); err == nil {
		s, err := mmapstack.New(64 << 10)
		if err != nil {
			fmt.Println(err)
			return
		}
		defer s.Close()
		region = s.Region()
	}
	c, err := stackhop.New(region, func(*stackhop.Coro) { fmt.Println("body") })
	if err != nil {
		fmt.Println(err)
		return
	}
	c.Switch()
	fmt.Println("done:", c.Done())
	// Output:
	// body
	// done: true
}
