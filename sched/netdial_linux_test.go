package sched_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/ctx"
)

// What ends a context ends the DialContext that was given it, whatever it waits for.
func TestDialContextEndsWithItsContext(t *testing.T) {
	n := runNet(t)
	full := fullListener(t)
	for _, c := range []struct {
		name, network, address string
		context                func() (context.Context, func())
		is                     []error
		timeout                bool
		text                   string
	}{
		{"cancelled before", "tcp", full, func() (context.Context, func()) {
			c, cancel := context.WithCancelCause(context.Background())
			cancel(errWhy)
			return c, func() {}
		}, []error{context.Canceled, errWhy}, false, "operation was canceled: why"},
		{"cancelled while it connects", "tcp", full, func() (context.Context, func()) {
			c, cancel := context.WithCancelCause(context.Background())
			return c, func() { cancel(errWhy) }
		}, []error{context.Canceled, errWhy}, false, "operation was canceled: why"},
		{"without a cause", "tcp", full, func() (context.Context, func()) { return context.WithCancel(context.Background()) },
			[]error{context.Canceled}, false, "operation was canceled"},
		{"deadline", "tcp", full, func() (context.Context, func()) {
			c, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
			t.Cleanup(cancel)
			return c, func() {}
		}, []error{context.DeadlineExceeded, os.ErrDeadlineExceeded}, true, "i/o timeout"},
		{"deadline with a cause", "tcp", full, func() (context.Context, func()) {
			c, cancel := context.WithTimeoutCause(context.Background(), 10*time.Millisecond, errWhy)
			t.Cleanup(cancel)
			return c, func() {}
		}, []error{context.DeadlineExceeded, os.ErrDeadlineExceeded, errWhy}, true, "i/o timeout: why"},
		{"cancelled before a look-up", "tcp", "stackhop.invalid:1", func() (context.Context, func()) {
			c, cancel := context.WithCancelCause(context.Background())
			cancel(errWhy)
			return c, func() {}
		}, []error{context.Canceled, errWhy}, false, "operation was canceled: why"},
	} {
		t.Run(c.name, func(t *testing.T) {
			onEachCaller(t, func(t *testing.T, start func(testing.TB, func() error) chan error) {
				before := openFiles(t)
				con, end := c.context()
				done := start(t, func() error {
					c, err := n.DialContext(con, c.network, c.address)
					if err == nil {
						c.Close()
					}
					return err
				})
				time.Sleep(time.Millisecond) // so that it is connecting, as a rule
				end()
				err := <-done
				var oe *net.OpError
				require.ErrorAs(t, err, &oe)
				require.Equal(t, "dial", oe.Op)
				for _, is := range c.is {
					require.ErrorIs(t, err, is)
				}
				require.Equal(t, c.timeout, oe.Timeout())
				require.ErrorContains(t, err, c.text)
				eventually(t, "no file is left open", func() bool { return openFiles(t) <= before })
			})
		})
	}
}

func TestAConnectionOutlivesTheContextThatItWasDialedWith(t *testing.T) {
	onEachCaller(t, func(t *testing.T, start func(testing.TB, func() error) chan error) {
		n := runNet(t)
		l := listen(t, n, "tcp", "127.0.0.1:0")
		echo(t, l)
		for range scale(200) {
			c, cancel := context.WithTimeout(context.Background(), time.Minute)
			require.NoError(t, <-start(t, func() error {
				conn, err := n.DialContext(c, "tcp", l.Addr().String())
				if err != nil {
					return err
				}
				cancel()
				defer conn.Close()
				return say(conn, "hello")
			}))
		}
	})
}

// Contexts that end while connections are being made: either there is an error
// and nothing is left, or a connection of full use.
func TestDialContextAgainstCancel(t *testing.T) {
	onEachCaller(t, func(t *testing.T, start func(testing.TB, func() error) chan error) {
		n := runNet(t)
		l := listen(t, n, "tcp", "127.0.0.1:0")
		echo(t, l)
		before := openFiles(t)
		for i := range scale(2000) {
			c, cancel := context.WithCancel(context.Background())
			done := start(t, func() error {
				conn, err := n.DialContext(c, "tcp", l.Addr().String())
				if err != nil {
					if !errors.Is(err, context.Canceled) {
						return err
					}
					return nil
				}
				defer conn.Close()
				return say(conn, "hello")
			})
			for range i % 50 {
				runtime.Gosched()
			}
			cancel()
			require.NoError(t, <-done)
		}
		eventually(t, "no file is left open", func() bool { return openFiles(t) <= before })
	})
}

// A task that is cancelled in DialContext leaves neither a file nor a watch of
// the context.
func TestACancelledTaskLeavesNothingOfDialContext(t *testing.T) {
	n := runNet(t)
	full := fullListener(t)
	before := openFiles(t)
	for range scale(200) {
		c, cancel := context.WithCancel(context.Background())
		task := spawn(t, func(*ctx.Task) {
			_, err := n.DialContext(c, "tcp", full)
			t.Error("returned: ", err)
		})
		require.NoError(t, task.Cancel(errWhy))
		cancel()
	}
	eventually(t, "no file is left open", func() bool { return openFiles(t) <= before })
}

// fullListener returns an address where connecting takes for ever: the queue of
// the listener is full.
func fullListener(t *testing.T) string {
	return fullListenerAt(t, syscall.AF_INET, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
}

func fullListenerAt(t *testing.T, family int, at syscall.Sockaddr) string {
	fd, err := syscall.Socket(family, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	t.Cleanup(func() { syscall.Close(fd) })
	require.NoError(t, syscall.Bind(fd, at))
	require.NoError(t, syscall.Listen(fd, 0))
	sa, err := syscall.Getsockname(fd)
	require.NoError(t, err)
	address := ""
	switch sa := sa.(type) {
	case *syscall.SockaddrInet4:
		address = fmt.Sprint("127.0.0.1:", sa.Port)
	case *syscall.SockaddrInet6:
		address = fmt.Sprintf("[::1]:%d", sa.Port)
	}
	for range 10 { // until one is not taken any more
		c, err := net.DialTimeout("tcp", address, 300*time.Millisecond)
		if err != nil {
			return address
		}
		t.Cleanup(func() { c.Close() })
	}
	t.Skip("the queue of a listener does not become full here")
	return ""
}

// A name with addresses of both families, the first of which does not reply: package net
// tries the other one meanwhile.
func TestDialTriesTheOtherFamilyWhenTheFirstTakesLong(t *testing.T) {
	needsIPv6(t)
	n := runNet(t)
	full := fullListenerAt(t, syscall.AF_INET6, &syscall.SockaddrInet6{Addr: [16]byte{15: 1}})
	port := full[len("[::1]:"):]
	l := listen(t, n, "tcp4", "127.0.0.1:"+port)
	echo(t, l)
	c, err := net.Dial("tcp", "[::]:"+port)
	require.NoError(t, err)
	theirs := c.RemoteAddr().String()
	require.NoError(t, c.Close())
	onEachCaller(t, func(t *testing.T, start func(testing.TB, func() error) chan error) {
		before := openFiles(t)
		require.NoError(t, <-start(t, func() error {
			c, err := n.Dial("tcp", "[::]:"+port)
			if err != nil {
				return err
			}
			defer c.Close()
			if c.RemoteAddr().String() != theirs {
				return fmt.Errorf("connected to %s, not %s", c.RemoteAddr(), theirs)
			}
			return say(c, "hello")
		}))
		eventually(t, "no file is left open", func() bool { return openFiles(t) <= before+1 }) // the server's end
	})
}

// When both families fail, or the context ends, nothing is left.
func TestDialOfBothFamiliesLeavesNothing(t *testing.T) {
	needsIPv6(t)
	n := runNet(t)
	port := fullListenerAt(t, syscall.AF_INET6, &syscall.SockaddrInet6{Addr: [16]byte{15: 1}})[len("[::1]:"):]
	onEachCaller(t, func(t *testing.T, start func(testing.TB, func() error) chan error) {
		before := openFiles(t)
		for _, after := range []time.Duration{0, time.Millisecond, 400 * time.Millisecond} {
			c, cancel := context.WithTimeoutCause(context.Background(), after, errWhy)
			err := <-start(t, func() error { _, err := n.DialContext(c, "tcp", "[::]:"+port); return err })
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.ErrorIs(t, err, errWhy)
			cancel()
		}
		eventually(t, "no file is left open", func() bool { return openFiles(t) <= before })
	})
	before := openFiles(t)
	for _, after := range []time.Duration{0, 350 * time.Millisecond} {
		task := spawn(t, func(*ctx.Task) {
			_, err := n.Dial("tcp", "[::]:"+port)
			t.Error("returned: ", err)
		})
		time.Sleep(after)
		_ = task.Cancel(errWhy)
		_ = task.Wait()
	}
	eventually(t, "no file is left open", func() bool { return openFiles(t) <= before })
}
