package sched_test

import (
	"errors"
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// A raw read that finds nothing waits, and what it has only looked at is still
// there to be read.
func TestSyscallConnWaitsForWhatItFindsNot(t *testing.T) {
	onEachCaller(t, func(t *testing.T, start func(testing.TB, func() error) chan error) {
		n := runNet(t)
		a, b := pair(t, n)
		raw, err := b.SyscallConn()
		require.NoError(t, err)
		p := make([]byte, 10)
		k := 0
		seen := start(t, func() error {
			var peeked error
			return errors.Join(raw.Read(func(fd uintptr) bool {
				k, _, peeked = unix.Recvfrom(int(fd), p, unix.MSG_PEEK)
				return peeked != unix.EAGAIN
			}), peeked)
		})
		_, err = a.Write([]byte("hello"))
		require.NoError(t, err)
		require.NoError(t, <-seen)
		require.Equal(t, "hello", string(p[:k]))
		require.NoError(t, <-start(t, func() error {
			_, err := io.ReadFull(b, p[:5])
			return err
		}))
		require.NoError(t, raw.Control(func(fd uintptr) {
			k, err = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NODELAY)
		}))
		require.NoError(t, err)
		require.Equal(t, 1, k)
	})
}

// A socket that is closed within Control goes when Control returns; after a panic
// of the function it is as good as before.
func TestSyscallConnKeepsTheSocketOpen(t *testing.T) {
	n := runNet(t)
	a, b := pair(t, n)
	raw, err := a.SyscallConn()
	require.NoError(t, err)
	for _, call := range []func(func()) error{
		func(f func()) error { return raw.Control(func(uintptr) { f() }) },
		func(f func()) error { return raw.Read(func(uintptr) bool { f(); return true }) },
		func(f func()) error { return raw.Write(func(uintptr) bool { f(); return true }) },
	} {
		require.PanicsWithValue(t, "why", func() { _ = call(func() { panic("why") }) })
		require.NoError(t, call(func() {}))
	}
	require.NoError(t, say2(a, b))
	require.NoError(t, raw.Control(func(fd uintptr) {
		require.NoError(t, a.Close())
		_, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TYPE)
		require.NoError(t, err)
	}))
	require.ErrorIs(t, raw.Control(func(uintptr) {}), net.ErrClosed)
	_, err = b.Read(make([]byte, 1))
	require.Equal(t, io.EOF, err)
}

// say2 sends a message from a to b.
func say2(a io.Writer, b io.Reader) error {
	if _, err := io.WriteString(a, "hello"); err != nil {
		return err
	}
	_, err := io.ReadFull(b, make([]byte, 5))
	return err
}
