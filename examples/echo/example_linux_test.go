package main

import (
	"fmt"
	"net"
	"time"
)

// Example is a client of the server and its twin: it cannot tell them apart.
func Example() {
	s, err := Listen("tcp", "127.0.0.1:0", 1, Echo)
	if err != nil {
		panic(err)
	}
	ran := make(chan error)
	go func() { ran <- s.Run() }()
	twin, err := ListenTwin("tcp", "127.0.0.1:0", Echo)
	if err != nil {
		panic(err)
	}
	go func() { _ = twin.Run() }()
	for _, at := range []net.Addr{s.Addr(), twin.Addr()} {
		c, err := net.Dial("tcp", at.String())
		if err != nil {
			panic(err)
		}
		fmt.Println(say(c, "hello"))
		c.Close()
	}
	fmt.Println(twin.Close())
	s.Shutdown(time.Second)
	fmt.Println(<-ran)
	// Output:
	// <nil>
	// <nil>
	// <nil>
	// <nil>
}
