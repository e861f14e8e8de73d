//go:build linux

package sched_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

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

// The form that http.Transport takes: the goroutines of package net/http use the Net
// that tasks use.
func ExampleNet_DialContext() {
	n, err := sched.NewNet()
	if err != nil {
		panic(err)
	}
	ran := make(chan error)
	go func() { ran <- n.Run() }()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "you asked for", r.URL.Path)
	}))
	defer server.Close()

	client := &http.Client{Transport: &http.Transport{DialContext: n.DialContext}}
	r, err := client.Get(server.URL + "/here")
	if err != nil {
		panic(err)
	}
	text, err := io.ReadAll(r.Body)
	r.Body.Close()
	fmt.Print(string(text))
	fmt.Println(err)
	client.CloseIdleConnections()
	n.Close()
	fmt.Println("run:", <-ran)
	// Output:
	// you asked for /here
	// <nil>
	// run: <nil>
}
