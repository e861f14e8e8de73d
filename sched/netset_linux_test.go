package sched_test

import (
	"fmt"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// The sockets have the settings that those of package net have, from the beginning
// and after each call that changes one.
func TestSettingsAreThoseOfPackageNet(t *testing.T) {
	n := runNet(t)
	ours := settings(t, func(network, address string) (net.Listener, error) { return n.Listen(network, address) },
		func(network, address string) (net.Conn, error) { return n.Dial(network, address) })
	theirs := settings(t, net.Listen, net.Dial)
	require.Len(t, ours, len(theirs))
	for i := range theirs {
		require.Equal(t, theirs[i], ours[i])
	}
}

func settings(t *testing.T, listen func(string, string) (net.Listener, error), dial func(string, string) (net.Conn, error)) (all []string) {
	l, err := listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	dialed, err := dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer dialed.Close()
	accepted, err := l.Accept()
	require.NoError(t, err)
	defer accepted.Close()
	for _, c := range []net.Conn{dialed, accepted} {
		tcp := c.(tcpSettings)
		for _, change := range []struct {
			name string
			call func() error
		}{
			{"nothing", func() error { return nil }},
			{"SetNoDelay(false)", func() error { return tcp.SetNoDelay(false) }},
			{"SetKeepAlivePeriod(90s)", func() error { return tcp.SetKeepAlivePeriod(90 * time.Second) }},
			{"SetKeepAlivePeriod(1.5s)", func() error { return tcp.SetKeepAlivePeriod(1500 * time.Millisecond) }},
			{"SetKeepAlivePeriod(-1)", func() error { return tcp.SetKeepAlivePeriod(-1) }},
			{"SetKeepAlivePeriod(0)", func() error { return tcp.SetKeepAlivePeriod(0) }},
			{"SetKeepAliveConfig", func() error {
				return tcp.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: time.Minute, Interval: 2 * time.Second, Count: 3})
			}},
			{"SetKeepAliveConfig, some", func() error {
				return tcp.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: -1, Interval: 0, Count: -1})
			}},
			{"SetKeepAliveConfig, off", func() error { return tcp.SetKeepAliveConfig(net.KeepAliveConfig{}) }},
			{"SetKeepAlive(true)", func() error { return tcp.SetKeepAlive(true) }},
			{"SetKeepAlive(false)", func() error { return tcp.SetKeepAlive(false) }},
			{"SetLinger(7)", func() error { return tcp.SetLinger(7) }},
			{"SetLinger(0)", func() error { return tcp.SetLinger(0) }},
			{"SetLinger(-1)", func() error { return tcp.SetLinger(-1) }},
			{"SetReadBuffer", func() error { return c.(bufferSettings).SetReadBuffer(50_000) }},
			{"SetWriteBuffer", func() error { return c.(bufferSettings).SetWriteBuffer(50_000) }},
			{"SetKeepAlivePeriod, too long", func() error {
				if tcp.SetKeepAlivePeriod(1e6*time.Second) == nil {
					return fmt.Errorf("no error")
				}
				return nil
			}},
		} {
			require.NoError(t, change.call(), change.name)
			all = append(all, change.name+": "+readSettings(t, c))
		}
	}
	return all
}

// readSettings asks the system.
func readSettings(t *testing.T, c net.Conn) (text string) {
	raw, err := c.(syscall.Conn).SyscallConn()
	require.NoError(t, err)
	require.NoError(t, raw.Control(func(fd uintptr) {
		for _, o := range []struct {
			name        string
			level, what int
		}{
			{"no delay", unix.IPPROTO_TCP, unix.TCP_NODELAY},
			{"keep alive", unix.SOL_SOCKET, unix.SO_KEEPALIVE},
			{"idle", unix.IPPROTO_TCP, unix.TCP_KEEPIDLE},
			{"interval", unix.IPPROTO_TCP, unix.TCP_KEEPINTVL},
			{"count", unix.IPPROTO_TCP, unix.TCP_KEEPCNT},
			{"read buffer", unix.SOL_SOCKET, unix.SO_RCVBUF},
			{"write buffer", unix.SOL_SOCKET, unix.SO_SNDBUF},
			{"reuse address", unix.SOL_SOCKET, unix.SO_REUSEADDR},
		} {
			v, err := unix.GetsockoptInt(int(fd), o.level, o.what)
			if err != nil {
				t.Error(o.name, err)
			}
			if o.what == unix.SO_SNDBUF || o.what == unix.SO_RCVBUF {
				v = min(v, 100_001) // the system changes those that nobody has set
			}
			text += fmt.Sprint(o.name, " ", v, ", ")
		}
		l, err := unix.GetsockoptLinger(int(fd), unix.SOL_SOCKET, unix.SO_LINGER) // an emulator writes all of a Linger, however little is asked for
		text += fmt.Sprint("linger ", *l, " ", err)
	}))
	return text
}
