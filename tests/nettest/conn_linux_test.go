package nettest

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/nettest"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/sched"
)

// TestConn has package nettest's tests run on each kind of connection. Their
// goroutines block in its calls.
func TestConn(t *testing.T) {
	for _, network := range []string{"tcp", "tcp6", "unix"} {
		t.Run(network, func(t *testing.T) {
			n := runNet(t)
			nettest.TestConn(t, func() (a, b net.Conn, stop func(), err error) {
				return pipe(t, n, network)
			})
		})
	}
}

// TestConnToPackageNet has the same with package net at one end.
func TestConnToPackageNet(t *testing.T) {
	n := runNet(t)
	nettest.TestConn(t, func() (a, b net.Conn, stop func(), err error) {
		l, err := n.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, nil, nil, err
		}
		defer l.Close()
		if a, err = net.Dial("tcp", l.Addr().String()); err != nil {
			return nil, nil, nil, err
		}
		if b, err = l.Accept(); err != nil {
			return nil, nil, nil, err
		}
		return a, b, func() { a.Close(); b.Close() }, nil
	})
}

// TestConnOnTasks has the same with each call made by a task, which is suspended
// meanwhile.
func TestConnOnTasks(t *testing.T) {
	n := runNet(t)
	nettest.TestConn(t, func() (a, b net.Conn, stop func(), err error) {
		a, b, stop, err = pipe(t, n, "tcp")
		if err == nil {
			a, b = onTasks{a}, onTasks{b}
		}
		return a, b, stop, err
	})
}

// onTasks is a connection that reads and writes on tasks, for which it waits.
type onTasks struct{ net.Conn }

func (c onTasks) Read(p []byte) (int, error)  { return onTask(c.Conn.Read, p) }
func (c onTasks) Write(p []byte) (int, error) { return onTask(c.Conn.Write, p) }

func onTask(f func([]byte) (int, error), p []byte) (n int, err error) {
	task, failed := ctx.Spawn(func(*ctx.Task) { n, err = f(p) })
	if failed == nil {
		failed = task.Wait()
	}
	if failed != nil {
		return 0, failed
	}
	return n, err
}

func runNet(t *testing.T) *sched.Net {
	n, err := sched.NewNet()
	require.NoError(t, err)
	ran := make(chan error, 1)
	go func() { ran <- n.Run() }()
	t.Cleanup(func() {
		_ = n.Close()
		<-ran // also ErrNetClosed: Close was first
	})
	return n
}

func pipe(t *testing.T, n *sched.Net, network string) (a, b net.Conn, stop func(), err error) {
	address := map[string]string{"tcp": "127.0.0.1:0", "tcp6": "[::1]:0"}[network]
	if network == "unix" {
		dir, err := os.MkdirTemp("", "stackhop")
		require.NoError(t, err)
		defer os.RemoveAll(dir)
		address = filepath.Join(dir, "s")
	}
	if network == "tcp6" && !nettest.SupportsIPv6() {
		t.Skip("no IPv6 here")
	}
	l, err := n.Listen(network, address)
	if err != nil {
		return nil, nil, nil, err
	}
	defer l.Close()
	if a, err = n.DialContext(t.Context(), network, l.Addr().String()); err != nil {
		return nil, nil, nil, err
	}
	if b, err = l.Accept(); err != nil {
		a.Close()
		return nil, nil, nil, err
	}
	return a, b, func() { a.Close(); b.Close() }, nil
}
