// Plain is a program that uses nothing but the kernel, as a linker sees it.
package main

import (
	"fmt"

	"github.com/stackhop/stackhop"
)

func main() {
	sum := 0
	c, err := stackhop.New(stackhop.Region{}, func(c *stackhop.Coro) {
		for i := range 10 {
			sum += i
			c.Switch()
		}
	})
	if err != nil {
		panic(err)
	}
	for !c.Done() {
		c.Switch()
	}
	fmt.Println(stackhop.Backend().Name, sum)
}
