//go:build linux

package sched_test

import (
	"bufio"
	"fmt"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/sched"
)

// A server and a client, each a task. The goroutine in Run continues them.
func ExampleNet() {
	n, err := sched.NewNet()
	if err != nil {
		panic(err)
	}
	l, err := n.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	serve := func(*ctx.Task) {
		c, err := l.Accept() // suspends the task
		if err != nil {
			return
		}
		defer c.Close()
		for lines := bufio.NewScanner(c); lines.Scan(); { // so does every Read below this
			fmt.Fprintf(c, "you said %q\n", lines.Text())
		}
	}
	ask := func(*ctx.Task) {
		defer n.Close() // then Run returns
		c, err := n.Dial("tcp", l.Addr().String())
		if err != nil {
			return
		}
		defer c.Close()
		fmt.Fprintln(c, "hello")
		answer, _ := bufio.NewReader(c).ReadString('\n')
		fmt.Print(answer)
	}
	for _, body := range []func(*ctx.Task){serve, ask} {
		if _, err := ctx.Spawn(body); err != nil {
			panic(err)
		}
	}
	fmt.Println("run:", n.Run())
	// Output:
	// you said "hello"
	// run: <nil>
}
