// Command echo serves TCP or Unix sockets with one task for each connection: it
// sends back what comes, or, with -http, answers HTTP/1.1 requests. An interrupt
// shuts it down in order.
//
// With -twin the same handlers run on goroutines of package net instead, for
// comparison. Bench.sh compares them by wrk.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "echo:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("echo", flag.ContinueOnError)
	flags.SetOutput(out)
	network := flags.String("network", "tcp", "tcp or unix")
	address := flags.String("addr", "127.0.0.1:7007", "where to listen")
	web := flags.Bool("http", false, "answer HTTP requests")
	twin := flags.Bool("twin", false, "goroutines and package net")
	nets := flags.Int("nets", runtime.GOMAXPROCS(0), "loops, one for each core")
	clients := flags.Int("clients", 5000, "how many connections there will be")
	grace := flags.Duration("grace", time.Second, "for clients, after an interrupt")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if err := openFiles(uint64(*clients) + 100); err != nil {
		fmt.Fprintln(out, err)
	}
	handle := Handler(Echo)
	if *web {
		handle = HTTP
	}
	if !*twin && runtime.GOMAXPROCS(0) <= *nets {
		runtime.GOMAXPROCS(*nets + 1) // see sched.Net
	}
	stop, done := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer done()
	s, err := listen(*twin, *network, *address, *nets, handle)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "listening on", s.Addr())
	context.AfterFunc(stop, func() { s.stop(*grace) })
	return s.Run()
}

// A server is either of the two.
type server interface {
	Addr() net.Addr
	Run() error
	stop(grace time.Duration)
}

func (s *Server) stop(grace time.Duration) { s.Shutdown(grace) }
func (s *Twin) stop(time.Duration)         { os.Exit(0) } // it is there to be measured, no more

func listen(twin bool, network, address string, nets int, handle Handler) (server, error) {
	if twin {
		return ListenTwin(network, address, handle)
	}
	return Listen(network, address, nets, handle)
}
