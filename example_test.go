package stackhop_test

import (
	"fmt"

	"github.com/stackhop/stackhop"
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
