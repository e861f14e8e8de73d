package sched_test

import (
	"net"
	"testing"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/sched"
)

// Two tasks of one Net that send each other a byte over TCP: four waits and four
// system calls a round.
func BenchmarkNetPingPong(b *testing.B) {
	b.ReportAllocs()
	n, err := sched.NewNet()
	if err != nil {
		b.Skip(err)
	}
	l, _ := n.Listen("tcp", "127.0.0.1:0")
	_, _ = ctx.Spawn(func(*ctx.Task) {
		c, err := l.Accept()
		if err != nil {
			return
		}
		echoBytes(c)
	})
	_, _ = ctx.Spawn(func(*ctx.Task) {
		defer n.Close()
		c, err := n.Dial("tcp", l.Addr().String())
		if err != nil {
			b.Error(err)
			return
		}
		defer c.Close()
		p := make([]byte, 1)
		for b.Loop() {
			_, _ = c.Write(p)
			_, _ = c.Read(p)
		}
	})
	_ = n.Run()
}

func echoBytes(c net.Conn) {
	p := make([]byte, 1)
	for {
		if _, err := c.Read(p); err != nil {
			return
		}
		_, _ = c.Write(p)
	}
}

// The same with goroutines and package net.
func BenchmarkPeerNetPingPong(b *testing.B) {
	b.ReportAllocs()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Skip(err)
	}
	defer l.Close()
	go func() {
		if c, err := l.Accept(); err == nil {
			echoBytes(c)
		}
	}()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	p := make([]byte, 1)
	for b.Loop() {
		_, _ = c.Write(p)
		_, _ = c.Read(p)
	}
}
