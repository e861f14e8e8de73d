package main

import (
	"errors"
	"net"
	"sync"
)

// A Twin is the same server by package net, with a goroutine for each
// connection: what the other one is measured against.
type Twin struct {
	listener net.Listener
	handle   Handler
	clients  sync.WaitGroup
}

// ListenTwin makes a twin. It serves when Run is called.
func ListenTwin(network, address string, handle Handler) (*Twin, error) {
	l, err := net.Listen(network, address)
	if err != nil {
		return nil, err
	}
	return &Twin{listener: l, handle: handle}, nil
}

// Addr returns where the twin listens.
func (s *Twin) Addr() net.Addr { return s.listener.Addr() }

// Run serves until Close, and the end of all connections.
func (s *Twin) Run() error {
	defer s.clients.Wait()
	for {
		c, err := s.listener.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return nil
		case err != nil:
			return err
		}
		s.clients.Go(func() {
			defer c.Close()
			_ = s.handle(c)
		})
	}
}

// Close ends accepting.
func (s *Twin) Close() error { return s.listener.Close() }
