package sched_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What is the same as in package net: these tests call its functions too.

// A form is an address as a user may write it. PORT stands for a port on which
// all addresses listen, FREE for one where no address does, DIR for an empty directory
// in which the socket "taken" listens.
type form struct{ network, address string }

var tcpForms = []form{
	{"tcp", ""},
	{"tcp", ":PORT"}, {"tcp", "0.0.0.0:PORT"}, {"tcp", "[::]:PORT"},
	{"tcp", "127.0.0.1:PORT"}, {"tcp", "[::1]:PORT"}, {"tcp", "[::ffff:127.0.0.1]:PORT"}, {"tcp", "localhost:PORT"},
	{"tcp", ":FREE"}, {"tcp", "0.0.0.0:FREE"}, {"tcp", "[::]:FREE"}, {"tcp", "127.0.0.1:FREE"}, {"tcp", "[::1]:FREE"},
	{"tcp", "localhost:FREE"},
	{"tcp4", ""}, {"tcp4", ":PORT"}, {"tcp4", "0.0.0.0:PORT"}, {"tcp4", "[::]:PORT"}, {"tcp4", "[::1]:PORT"},
	{"tcp4", "127.0.0.1:PORT"}, {"tcp4", "[::ffff:127.0.0.1]:PORT"}, {"tcp4", "localhost:PORT"}, {"tcp4", ":FREE"},
	{"tcp6", ""}, {"tcp6", ":PORT"}, {"tcp6", "[::]:PORT"}, {"tcp6", "0.0.0.0:PORT"}, {"tcp6", "[::1]:PORT"},
	{"tcp6", "127.0.0.1:PORT"}, {"tcp6", "[::ffff:127.0.0.1]:PORT"}, {"tcp6", "localhost:PORT"}, {"tcp6", ":FREE"},
	{"tcp", "127.0.0.1:http-alt"}, {"tcp", ":http-alt"}, {"tcp", "localhost:http-alt"}, {"tcp", "127.0.0.1:no-such-service"},
	{"tcp", "127.0.0.1:no such service"}, {"tcp6", "127.0.0.1:http-alt"},
	{"tcp", "127.0.0.1:65536"}, {"tcp", "127.0.0.1:-1"}, {"tcp", "127.0.0.1:+FREE"}, {"tcp", "127.0.0.1:99999999999999999999"},
	{"tcp", "127.0.0.1:"}, {"tcp", "127.0.0.1:0"}, {"tcp", ":0"}, {"tcp", ":"},
	{"tcp", "127.0.0.1"}, {"tcp", "[::1]"}, {"tcp", "::1:PORT"}, {"tcp", "[::1:PORT"}, {"tcp", "a:b:c"}, {"tcp", "[127.0.0.1]:PORT"},
	{"tcp", "127.0.0.256:PORT"}, {"tcp", "no such host.invalid:PORT"}, {"tcp", "no such host.invalid:no-such-service"},
	{"tcp", "[fe80::1%lo]:PORT"}, {"tcp", "[fe80::1%1]:PORT"}, {"tcp", "[fe80::1%nowhere]:PORT"}, {"tcp", "[::1%lo]:PORT"},
	{"tcp", "[::%lo]:FREE"},
	{"tcp", "192.0.2.1%lo:PORT"}, {"tcp", "224.0.0.1:PORT"}, {"tcp", "255.255.255.255:PORT"},
	{"", "127.0.0.1:PORT"}, {"tcp5", "127.0.0.1:PORT"}, {"TCP", "127.0.0.1:PORT"}, {"tcp:1", "127.0.0.1:PORT"}, {"nonsense", ""},
}

func unixForms() []form {
	forms := []form{
		{"unix", ""}, {"unix", "DIR/new"}, {"unix", "DIR/taken"}, {"unix", "DIR"}, {"unix", "/nowhere/at/all"}, {"unix", "DIR/no\x00ne"},
		{"unix", "@"}, {"unix", "@stackhop-new"}, {"unix", "@stackhop-taken"}, {"unix", "@stackhop-\x00within"},
		{"unix", "\x00stackhop-new"},
	}
	for _, length := range []int{107, 108, 109} {
		forms = append(forms,
			form{"unix", "@" + strings.Repeat("n", length-1)},
			form{"unix", "/tmp/" + strings.Repeat("n", length-len("/tmp/"))})
	}
	return forms
}

// places fills in what stands for something else.
func places(t *testing.T) *strings.Replacer {
	dir := t.TempDir()
	taken, err := net.Listen("tcp", ":0")
	require.NoError(t, err)
	t.Cleanup(func() { taken.Close() })
	free, err := net.Listen("tcp", ":0")
	require.NoError(t, err)
	require.NoError(t, free.Close())
	for _, name := range []string{filepath.Join(dir, "taken"), "@stackhop-taken"} {
		l, err := net.Listen("unix", name)
		require.NoError(t, err)
		t.Cleanup(func() { l.Close() })
	}
	port := func(l net.Listener) string { return fmt.Sprint(l.Addr().(*net.TCPAddr).Port) }
	return strings.NewReplacer("PORT", port(taken), "FREE", port(free), "DIR", dir)
}

func TestDialDoesWhatPackageNetDoes(t *testing.T) {
	needsIPv6(t)
	n := runNet(t)
	fill := places(t)
	for _, f := range append(tcpForms, unixForms()...) {
		onEachCaller(t, func(t *testing.T, start func(testing.TB, func() error) chan error) {
			address := fill.Replace(f.address)
			var ours, theirs string
			c, err := net.Dial(f.network, address)
			theirs = outcome(c, err)
			require.NoError(t, <-start(t, func() error {
				c, err := n.Dial(f.network, address)
				if err != nil {
					ours = outcome(nil, err)
					return nil
				}
				ours = outcome(c, nil)
				return nil
			}))
			require.Equal(t, theirs, ours, "%s %q", f.network, address)
		})
	}
}

func TestListenDoesWhatPackageNetDoes(t *testing.T) {
	needsIPv6(t)
	n := runNet(t)
	fill := places(t)
	for _, f := range append(tcpForms, unixForms()...) {
		onEachCaller(t, func(t *testing.T, start func(testing.TB, func() error) chan error) {
			address := fill.Replace(f.address)
			var ours, theirs string
			l, err := net.Listen(f.network, address)
			theirs = hearing(l, err)
			require.NoError(t, <-start(t, func() error {
				l, err := n.Listen(f.network, address)
				if err != nil {
					ours = hearing(nil, err)
					return nil
				}
				ours = hearing(l, nil)
				return nil
			}))
			require.Equal(t, theirs, ours, "%s %q", f.network, address)
		})
	}
}

func needsIPv6(t *testing.T) {
	l, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skip("no IPv6 here: ", err)
	}
	l.Close()
}

// outcome tells what came of dialing, and hangs up. Of a local port it tells
// nothing: the system chose it.
func outcome(c net.Conn, err error) string {
	if err != nil {
		return failure(err)
	}
	defer c.Close()
	return fmt.Sprintf("from %s to %s", place(c.LocalAddr(), false), place(c.RemoteAddr(), true))
}

// hearing is outcome for listening. Of a port it tells nothing, since the system
// may have chosen it.
func hearing(l net.Listener, err error) string {
	if err != nil {
		return failure(err)
	}
	defer l.Close()
	return "at " + place(l.Addr(), false)
}

// chosen is a name that the system chose.
var chosen = regexp.MustCompile(`^@[0-9a-f]{5}$`)

func place(a net.Addr, port bool) string {
	switch a := a.(type) {
	case *net.TCPAddr:
		text := fmt.Sprintf("%T %s ip %x zone %q", a, a.Network(), []byte(a.IP), a.Zone)
		if port {
			text += fmt.Sprint(" port ", a.Port)
		}
		return text
	case *net.UnixAddr:
		name := a.Name
		if chosen.MatchString(name) {
			name = "@number"
		}
		return fmt.Sprintf("%T %s %q", a, a.Network(), name)
	}
	return fmt.Sprintf("%T %v", a, a)
}

// failure tells all that a user can ask of an error.
func failure(err error) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", err)
	for e := err; e != nil; e = errors.Unwrap(e) {
		fmt.Fprintf(&b, "%T", e)
		if o, ok := e.(*net.OpError); ok {
			fmt.Fprintf(&b, " op %s net %s source %T %v addr %T %v timeout %t temporary %t",
				o.Op, o.Net, o.Source, o.Source, o.Addr, o.Addr, o.Timeout(), o.Temporary())
		}
		if s, ok := e.(*os.SyscallError); ok {
			fmt.Fprintf(&b, " %s %T %d", s.Syscall, s.Err, s.Err)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// A pair of ends has the same address fields and errors as package net's, in
// each state.
func TestSocketsFailAsThoseOfPackageNetDo(t *testing.T) {
	for _, network := range []string{"tcp", "tcp4", "tcp6", "unix"} {
		t.Run(network, func(t *testing.T) {
			if network == "tcp6" {
				needsIPv6(t)
			}
			n := runNet(t)
			ours := failures(t, network, func(network, address string) (net.Listener, error) { return n.Listen(network, address) },
				func(network, address string) (net.Conn, error) { return n.Dial(network, address) })
			theirs := failures(t, network, net.Listen, net.Dial)
			require.Equal(t, len(theirs), len(ours))
			for i := range theirs {
				require.Equal(t, theirs[i], ours[i])
			}
		})
	}
}

// failures brings sockets into all states and tells the errors.
func failures(t *testing.T, network string, listen func(string, string) (net.Listener, error), dial func(string, string) (net.Conn, error)) (all []string) {
	t.Helper()
	address := map[string]string{"tcp": "127.0.0.1:0", "tcp4": "127.0.0.1:0", "tcp6": "[::1]:0"}[network]
	if network == "unix" {
		address = filepath.Join(t.TempDir(), "s")
	}
	l, err := listen(network, address)
	require.NoError(t, err)
	// Ports and directories differ from one run to the next.
	hide := strings.NewReplacer(l.Addr().String(), "LISTENER")
	note := func(what string, err error) {
		text := "no error"
		if err != nil {
			text = hide.Replace(failure(err))
		}
		all = append(all, what+": "+text)
	}
	noteRead := func(what string, n int, err error) { note(fmt.Sprint(what, " of ", n), err) }
	pair := func() (a, b net.Conn) {
		a, err := dial(network, l.Addr().String())
		require.NoError(t, err)
		b, err = l.Accept()
		require.NoError(t, err)
		if network != "unix" {
			hide = strings.NewReplacer(l.Addr().String(), "LISTENER", a.LocalAddr().String(), "DIALER")
		}
		return a, b
	}
	past := time.Unix(1, 0)
	one := make([]byte, 1)

	a, b := pair()
	require.NoError(t, a.SetDeadline(past))
	k, err := a.Read(one)
	noteRead("read after the deadline", k, err)
	k, err = a.Read(nil)
	noteRead("empty read after the deadline", k, err)
	k, err = a.Write(one)
	noteRead("write after the deadline", k, err)
	k, err = a.Write(nil)
	noteRead("empty write after the deadline", k, err)
	raw, err := a.(syscall.Conn).SyscallConn()
	require.NoError(t, err)
	note("raw Read after the deadline", raw.Read(func(uintptr) bool { return true }))
	note("raw Write after the deadline", raw.Write(func(uintptr) bool { return true }))
	require.NoError(t, a.SetDeadline(time.Time{}))
	require.NoError(t, a.(interface{ CloseWrite() error }).CloseWrite())
	k, err = a.Write(one)
	noteRead("write after CloseWrite", k, err)
	k, err = b.Read(one)
	noteRead("read at the end", k, err)
	require.NoError(t, a.(interface{ CloseRead() error }).CloseRead())
	k, err = a.Read(one)
	noteRead("read after CloseRead", k, err)
	note("close", a.Close())
	note("second close", a.Close())
	k, err = a.Read(one)
	noteRead("read after close", k, err)
	k, err = a.Read(nil)
	noteRead("empty read after close", k, err)
	k, err = a.Write(one)
	noteRead("write after close", k, err)
	note("CloseWrite after close", a.(interface{ CloseWrite() error }).CloseWrite())
	note("CloseRead after close", a.(interface{ CloseRead() error }).CloseRead())
	note("SetDeadline after close", a.SetDeadline(past))
	note("SetReadDeadline after close", a.SetReadDeadline(past))
	note("SetWriteDeadline after close", a.SetWriteDeadline(past))
	if tcp, ok := a.(tcpSettings); ok && network != "unix" {
		note("SetNoDelay after close", tcp.SetNoDelay(true))
		note("SetLinger after close", tcp.SetLinger(0))
		note("SetKeepAlive after close", tcp.SetKeepAlive(true))
		note("SetKeepAlivePeriod after close", tcp.SetKeepAlivePeriod(1))
		note("SetKeepAliveConfig after close", tcp.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true}))
	}
	if buffers, ok := a.(bufferSettings); ok {
		note("SetReadBuffer after close", buffers.SetReadBuffer(1<<16))
		note("SetWriteBuffer after close", buffers.SetWriteBuffer(1<<16))
	}
	raw, err = a.(syscall.Conn).SyscallConn()
	note("SyscallConn after close", err)
	note("Control after close", raw.Control(func(uintptr) {}))
	note("raw Read after close", raw.Read(func(uintptr) bool { return true }))
	note("raw Write after close", raw.Write(func(uintptr) bool { return true }))
	note("address after close", fmt.Errorf("%s", place(a.LocalAddr(), false)+place(b.LocalAddr(), false)))
	b.Close()

	if network != "unix" {
		a, b = pair()
		require.NoError(t, a.(tcpSettings).SetLinger(0))
		require.NoError(t, a.Close())
		k, err = b.Read(one)
		noteRead("read after a reset", k, err)
		k, err = b.Write(one)
		noteRead("write after a reset", k, err)
		note("close after a reset", b.Close())
	}

	waiting := make(chan error)
	a, b = pair()
	go func() { _, err := a.Read(one); waiting <- err }()
	require.NoError(t, a.SetReadDeadline(past))
	note("read that the deadline ends", <-waiting)
	require.NoError(t, a.SetReadDeadline(time.Time{}))
	go func() { _, err := a.Read(one); waiting <- err }()
	require.NoError(t, a.Close())
	note("read that close ends", <-waiting)
	b.Close()

	require.NoError(t, l.(interface{ SetDeadline(time.Time) error }).SetDeadline(past))
	_, err = l.Accept()
	note("accept after the deadline", err)
	require.NoError(t, l.(interface{ SetDeadline(time.Time) error }).SetDeadline(time.Time{}))
	go func() { _, err := l.Accept(); waiting <- err }()
	note("close of the listener", l.Close())
	note("accept that close ends", <-waiting)
	_, err = l.Accept()
	note("accept after close", err)
	note("second close of the listener", l.Close())
	note("SetDeadline of the listener after close", l.(interface{ SetDeadline(time.Time) error }).SetDeadline(past))
	_, err = dial(network, l.Addr().String())
	note("dial after close", err)
	return all
}

// tcpSettings and bufferSettings are what a *net.TCPConn has.
type tcpSettings interface {
	SetNoDelay(bool) error
	SetLinger(int) error
	SetKeepAlive(bool) error
	SetKeepAlivePeriod(time.Duration) error
	SetKeepAliveConfig(net.KeepAliveConfig) error
}

type bufferSettings interface {
	SetReadBuffer(int) error
	SetWriteBuffer(int) error
}
