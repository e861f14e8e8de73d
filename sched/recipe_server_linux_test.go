package sched_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/ctx"
	leaves "github.com/stackhop/stackhop/leaf"
	"github.com/stackhop/stackhop/sched"
)

// onNet runs f on a task of n, and returns how it ended.
func onNet(n *sched.Net, f func(t *ctx.Task)) error {
	started := make(chan *ctx.Task, 1)
	failed := make(chan error, 1)
	if err := n.Do(func() {
		t, err := ctx.Spawn(f, ctx.WithHome(n))
		if err != nil {
			failed <- err
			return
		}
		started <- t
	}); err != nil {
		return err
	}
	select {
	case t := <-started:
		return t.Wait()
	case err := <-failed:
		return err
	}
}

// A taskServer serves HTTP with a task for each connection, on one Net. What its
// tasks and functions of Do touch needs no lock: they never run at the same time.
type taskServer struct {
	net      *sched.Net
	listener *sched.Listener
	handler  http.Handler
	config   *tls.Config // nil: without TLS
	conns    map[*sched.Conn]bool
	closing  bool
	ended    leaves.WaitGroup
}

// accept is the body of a task.
func (s *taskServer) accept(*ctx.Task) {
	for {
		c, err := s.listener.AcceptOn(s.net)
		if err != nil {
			return // the listener is closed
		}
		_, err = s.ended.Go(func(*ctx.Task) {
			s.conns[c] = true
			defer delete(s.conns, c)
			defer c.Close()
			if s.closing {
				return
			}
			if s.config == nil {
				_ = serveConn(c, s.handler)
				return
			}
			t := tls.Server(c, s.config)
			_ = serveConn(t, s.handler)
			_ = t.CloseWrite()
		}, ctx.WithHome(s.net))
		if err != nil {
			c.Close()
		}
	}
}

// Shutdown lets requests end that are being answered, and returns when all
// connections are closed.
func (s *taskServer) Shutdown() error {
	if err := s.net.Do(func() {
		s.closing = true
		s.listener.Close()
		for c := range s.conns {
			_ = c.SetReadDeadline(time.Now()) // the next request is not read
		}
	}); err != nil {
		return err
	}
	return s.ended.Wait()
}

// serveConn answers one request after another. It runs on a task.
func serveConn(c net.Conn, h http.Handler) error {
	in, out := bufio.NewReader(c), bufio.NewWriter(c)
	for {
		r, err := http.ReadRequest(in)
		if err != nil {
			return err // io.EOF: the client has gone
		}
		r.RemoteAddr = c.RemoteAddr().String()
		if t, ok := c.(*tls.Conn); ok {
			s := t.ConnectionState()
			r.TLS = &s
		}
		r = r.WithContext(ctx.Current().Context()) // ends with the connection's task
		a := answer{Response: http.Response{
			StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Request: r, Close: r.Close,
		}}
		h.ServeHTTP(&a, r)
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return err
		}
		a.Body, a.ContentLength = io.NopCloser(&a.body), int64(a.body.Len())
		if err := a.Response.Write(out); err != nil {
			return err
		}
		if err := out.Flush(); err != nil || r.Close {
			return err
		}
	}
}

// An answer is an http.ResponseWriter that keeps what is written.
type answer struct {
	http.Response
	body bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.Response.Header }
func (a *answer) WriteHeader(status int)      { a.StatusCode = status }
func (a *answer) Write(p []byte) (int, error) { return a.body.Write(p) }

// echoing is a handler that sends back what it is sent, and waits meanwhile.
func echoing(n *sched.Net) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if t := ctx.Current(); t != nil {
			_ = n.Sleep(t, 100*time.Microsecond)
		}
		w.Header().Set("X-Path", r.URL.Path)
		_, _ = w.Write(body)
	})
}

// ask makes requests of a server by several clients of package net/http, which keep their
// connections.
func ask(t *testing.T, transport *http.Transport, url string, clients, requests int) {
	client := &http.Client{Transport: transport}
	defer client.CloseIdleConnections()
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() {
			for r := range requests {
				text := bytes.Repeat(fmt.Appendf(nil, "client %d request %d ", i, r), 1+r%300)
				resp, err := client.Post(url+"/x", "text/plain", bytes.NewReader(text))
				if err != nil {
					t.Error(err)
					return
				}
				got, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if err != nil || !bytes.Equal(text, got) || resp.Header.Get("X-Path") != "/x" {
					t.Errorf("%d bytes, not %d: %v", len(got), len(text), err)
				}
			}
		})
	}
	all.Wait()
}

// Each connection has a task.
func TestRecipeHTTPServerOfTasks(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprint("TLS ", secure), func(t *testing.T) {
			n := runNet(t)
			reported := hangs(n)
			h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if (r.TLS != nil) != secure || r.RemoteAddr == "" || r.Context() != ctx.Current().Context() {
					t.Errorf("TLS %v, from %q, context %v", r.TLS, r.RemoteAddr, r.Context())
				}
				echoing(n).ServeHTTP(w, r)
			})
			s := &taskServer{net: n, handler: h, conns: map[*sched.Conn]bool{}, listener: listen(t, n, "tcp", "127.0.0.1:0")}
			url, transport := "http://", &http.Transport{MaxIdleConnsPerHost: 8}
			if secure {
				var client *tls.Config
				s.config, client = tlsConfigs(t)
				url, transport.TLSClientConfig = "https://", client
			}
			spawn(t, s.accept, ctx.WithHome(n))
			ask(t, transport, url+s.listener.Addr().String(), 8, scale(400))
			require.NoError(t, s.Shutdown())
			require.Empty(t, s.conns)
			require.Empty(t, reported)
		})
	}
}

// Shutdown while requests are under way: each one that was begun is answered.
func TestRecipeShutdown(t *testing.T) {
	n := runNet(t)
	begun := make(chan int, 100)
	s := &taskServer{net: n, conns: map[*sched.Conn]bool{}, listener: listen(t, n, "tcp", "127.0.0.1:0")}
	s.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun <- 1
		_ = n.Sleep(ctx.Current(), 20*time.Millisecond)
		fmt.Fprint(w, "done")
	})
	spawn(t, s.accept, ctx.WithHome(n))
	url := "http://" + s.listener.Addr().String()
	idle, err := net.Dial("tcp", s.listener.Addr().String()) // never asks for anything
	require.NoError(t, err)
	defer idle.Close()
	var all sync.WaitGroup
	const clients = 10
	for range clients {
		all.Go(func() {
			r, err := http.Get(url)
			if err != nil {
				t.Error(err)
				return
			}
			defer r.Body.Close()
			if body, err := io.ReadAll(r.Body); err != nil || string(body) != "done" {
				t.Errorf("%q, %v", body, err)
			}
		})
	}
	for range clients {
		<-begun
	}
	require.NoError(t, s.Shutdown())
	all.Wait()
	_, err = http.Get(url)
	require.Error(t, err)
}

// The server of package net/http on a Listener of a Net: its goroutines wait for the
// Net. A handler has tasks do what they do without locks.
func TestRecipeHTTPServerOfThePackage(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprint("TLS ", secure), func(t *testing.T) {
			n := runNet(t)
			reported := hangs(n)
			l := listen(t, n, "tcp", "127.0.0.1:0")
			served := 0 // the Net's
			h := echoing(n)
			s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				h.ServeHTTP(w, r)
				if err := onNet(n, func(*ctx.Task) { served++ }); err != nil {
					t.Error(err)
				}
			})}
			url, transport := "http://", &http.Transport{MaxIdleConnsPerHost: 8, DialContext: n.DialContext}
			ended := make(chan error, 1)
			if secure {
				s.TLSConfig, transport.TLSClientConfig = tlsConfigs(t)
				url = "https://"
				go func() { ended <- s.ServeTLS(l, "", "") }()
			} else {
				go func() { ended <- s.Serve(l) }()
			}
			ask(t, transport, url+l.Addr().String(), 8, scale(400))
			require.NoError(t, s.Shutdown(t.Context()))
			require.ErrorIs(t, <-ended, http.ErrServerClosed)
			require.NoError(t, onNet(n, func(*ctx.Task) { require.Equal(t, 8*scale(400), served) }))
			require.Empty(t, reported)
		})
	}
}

func TestOnNetTellsHowTheTaskEnded(t *testing.T) {
	n := runNet(t)
	var panicked *ctx.PanicError
	require.ErrorAs(t, onNet(n, func(*ctx.Task) { panic(errWhy) }), &panicked)
	require.NoError(t, n.Close())
	require.True(t, errors.Is(onNet(n, func(*ctx.Task) {}), net.ErrClosed))
}
