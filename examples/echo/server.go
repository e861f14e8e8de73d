package main

import (
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
	"github.com/stackhop/stackhop/sched"
)

// A Handler talks with one client until the end of the stream or an error. It
// knows neither tasks nor Nets.
type Handler func(c io.ReadWriter) error

// A Server has one task that accepts, and for each connection a child of that.
// They are spread over Nets, each of which keeps one core busy.
type Server struct {
	nets     []*sched.Net
	listener *sched.Listener
	acceptor *ctx.Task
	handle   Handler

	mu      sync.Mutex // for what tasks of several Nets use
	clients map[*ctx.Task]*sched.Conn
	drains  bool
}

// ErrShutdown is why tasks were cancelled.
var ErrShutdown = errors.New("the server shuts down")

// Listen makes a server with a number of Nets. It serves when Run is called.
func Listen(network, address string, nets int, handle Handler) (*Server, error) {
	s := &Server{handle: handle, clients: make(map[*ctx.Task]*sched.Conn)}
	if err := s.start(network, address, max(nets, 1)); err != nil {
		s.closeNets()
		return nil, err
	}
	return s, nil
}

func (s *Server) start(network, address string, nets int) error {
	for range nets {
		n, err := sched.NewNet()
		if err != nil {
			return err
		}
		s.nets = append(s.nets, n)
	}
	var err error
	if s.listener, err = s.nets[0].Listen(network, address); err != nil {
		return err
	}
	// Spawn returns when the acceptor waits for the first client.
	s.acceptor, err = ctx.Spawn(s.accept, ctx.WithName("acceptor"), ctx.WithOnEnd(s))
	return err
}

// Run serves until Shutdown has ended every task.
func (s *Server) Run() error {
	errs := make([]error, len(s.nets))
	var others sync.WaitGroup
	for i, n := range s.nets[1:] {
		others.Go(func() { errs[i+1] = n.Run() })
	}
	errs[0] = s.nets[0].Run()
	others.Wait()
	return errors.Join(errs...)
}

// Addr returns where the server listens.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// accept starts a task for each client. If it is cancelled, its children are
// cancelled before it.
func (s *Server) accept(t *ctx.Task) {
	defer s.listener.Close()
	for next := 0; ; next++ {
		c, err := s.listener.AcceptOn(s.nets[next%len(s.nets)])
		switch {
		case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
			_ = s.nets[0].Sleep(t, 10*time.Millisecond) // until somebody hangs up
		case err != nil:
			s.awaitClients() // the listener is closed: nobody comes any more
			return
		default:
			s.serve(t, c)
		}
	}
}

// serve starts a client's task. However that ends, also by a cancel, the
// connection is closed.
func (s *Server) serve(parent *ctx.Task, c *sched.Conn) {
	_, err := ctx.Spawn(func(t *ctx.Task) {
		defer c.Close()
		defer s.forget(t)
		s.keep(t, c)
		_ = s.handle(c) // errors are the client's business
	}, ctx.WithParent(parent))
	if err != nil { // no stack
		c.Close()
	}
}

func (s *Server) keep(t *ctx.Task, c *sched.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clients[t] = c
	if s.drains {
		_ = c.SetReadDeadline(time.Now())
	}
}

func (s *Server) forget(t *ctx.Task) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.clients, t)
}

func (s *Server) awaitClients() {
	for t := s.anyClient(); t != nil; t = s.anyClient() {
		_ = t.Wait()
	}
}

func (s *Server) anyClient() *ctx.Task {
	s.mu.Lock()
	defer s.mu.Unlock()
	for t := range s.clients {
		return t
	}
	return nil
}

// Shutdown closes the listener and has each client's task end when it would read
// next: what it writes, it may finish. After the time grace, those that are left
// are cancelled. Run returns when all have ended.
func (s *Server) Shutdown(grace time.Duration) {
	s.mu.Lock()
	s.drains = true
	for _, c := range s.clients {
		_ = c.SetReadDeadline(time.Now())
	}
	s.mu.Unlock()
	s.listener.Close()
	// On the Net: from there, what waits unwinds while nothing else of it runs.
	time.AfterFunc(grace, func() { _ = s.nets[0].Do(s.Cancel) })
}

// Cancel ends all tasks where they wait: the clients', then the acceptor.
func (s *Server) Cancel() { _ = s.acceptor.Cancel(ErrShutdown) }

// TaskEnded is called when the acceptor, and so every client, has ended.
func (s *Server) TaskEnded(*ctx.Task) resume.Handle {
	s.closeNets()
	return resume.Handle{}
}

func (s *Server) closeNets() {
	for _, n := range s.nets {
		_ = n.Close()
	}
}
