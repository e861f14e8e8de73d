package sched_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/sched"
)

// openNet makes a Net that is closed after the test. Nobody runs it yet.
func openNet(t testing.TB) *sched.Net {
	t.Helper()
	n, err := sched.NewNet()
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	require.NoError(t, err)
	t.Cleanup(func() { n.Close() })
	return n
}

// runNet makes a Net that a goroutine runs until the end of the test.
func runNet(t testing.TB) *sched.Net {
	t.Helper()
	n := openNet(t)
	ran := run(t, n)
	t.Cleanup(func() {
		n.Close()
		require.NoError(t, <-ran)
	})
	return n
}

// run has a goroutine run n, and returns when it does: a Run that comes after Close
// answers ErrNetClosed.
func run(t testing.TB, n *sched.Net) (ran chan error) {
	t.Helper()
	ran = make(chan error, 1)
	go func() { ran <- n.Run() }()
	begun := make(chan struct{})
	require.NoError(t, n.Do(func() { close(begun) }))
	<-begun
	return ran
}

// networks are where sockets can be. Each names an address to listen on.
var networks = []struct {
	name    string
	address func(t testing.TB) string
}{
	{"tcp", func(testing.TB) string { return "127.0.0.1:0" }},
	{"tcp6", func(testing.TB) string { return "[::1]:0" }},
	{"unix", func(t testing.TB) string { return filepath.Join(t.TempDir(), "s") }},
	{"unix, abstract", func(testing.TB) string { return fmt.Sprintf("@stackhop-%x", rand.Uint64()) }},
}

func onEachNetwork(t *testing.T, test func(t *testing.T, network, address string)) {
	for _, n := range networks {
		t.Run(n.name, func(t *testing.T) {
			network, _, _ := strings.Cut(n.name, ",")
			if network == "tcp6" {
				l, err := net.Listen("tcp6", "[::1]:0")
				if err != nil {
					t.Skip("no IPv6 here: ", err)
				}
				l.Close()
			}
			test(t, network, n.address(t))
		})
	}
}

func listen(t testing.TB, n *sched.Net, network, address string) *sched.Listener {
	t.Helper()
	l, err := n.Listen(network, address)
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	return l
}

// pair makes two ends of a TCP connection, both on n, which must be run.
func pair(t testing.TB, n *sched.Net) (a, b *sched.Conn) {
	t.Helper()
	return pairAt(t, n, "tcp", "127.0.0.1:0")
}

func pairAt(t testing.TB, n *sched.Net, network, address string) (a, b *sched.Conn) {
	t.Helper()
	l := listen(t, n, network, address)
	a, err := n.Dial(network, l.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { a.Close() })
	b, err = l.AcceptOn(n)
	require.NoError(t, err)
	t.Cleanup(func() { b.Close() })
	return a, b
}

// callers make a call on a task and on a plain goroutine. done gets its error.
var callers = []struct {
	name  string
	start func(t testing.TB, f func() error) (done chan error)
}{
	{"task", func(t testing.TB, f func() error) chan error {
		done := make(chan error, 1)
		spawn(t, func(*ctx.Task) { done <- f() })
		return done
	}},
	{"goroutine", func(_ testing.TB, f func() error) chan error {
		done := make(chan error, 1)
		go func() { done <- f() }()
		return done
	}},
}

func onEachCaller(t *testing.T, test func(t *testing.T, start func(testing.TB, func() error) chan error)) {
	for _, c := range callers {
		t.Run(c.name, func(t *testing.T) { test(t, c.start) })
	}
}

// echo serves every connection of l by a task until l is closed.
func echo(t testing.TB, l *sched.Listener) {
	spawn(t, func(task *ctx.Task) {
		for {
			c, err := l.Accept()
			if err != nil {
				if !errors.Is(err, net.ErrClosed) {
					t.Error(err)
				}
				return
			}
			spawn(t, func(*ctx.Task) {
				defer c.Close()
				if _, err := io.Copy(c, c); err != nil && !errors.Is(err, net.ErrClosed) {
					t.Error(err)
				}
			})
		}
	})
}

func TestEchoOnTasksAndGoroutines(t *testing.T) {
	onEachNetwork(t, func(t *testing.T, network, address string) {
		onEachCaller(t, func(t *testing.T, start func(testing.TB, func() error) chan error) {
			if network == "unix" && address[0] != '@' {
				address = filepath.Join(t.TempDir(), "s")
			}
			n := runNet(t)
			l := listen(t, n, network, address)
			echo(t, l)
			require.NoError(t, <-start(t, func() error {
				c, err := n.Dial(network, l.Addr().String())
				if err != nil {
					return err
				}
				defer c.Close()
				for i := range 100 {
					if err := say(c, fmt.Sprint("message ", i)); err != nil {
						return err
					}
				}
				return nil
			}))
		})
	})
}

// say writes a message and expects it back.
func say(c io.ReadWriter, message string) error {
	if _, err := io.WriteString(c, message); err != nil {
		return err
	}
	got := make([]byte, len(message))
	if _, err := io.ReadFull(c, got); err != nil {
		return err
	}
	if string(got) != message {
		return fmt.Errorf("said %q, heard %q", message, got)
	}
	return nil
}

// Package net at the other end.
func TestEchoToPackageNet(t *testing.T) {
	onEachNetwork(t, func(t *testing.T, network, address string) {
		n := runNet(t)
		l := listen(t, n, network, address)
		echo(t, l)
		c, err := net.Dial(network, l.Addr().String())
		require.NoError(t, err)
		defer c.Close()
		require.NoError(t, say(c, "hello"))
		other, err := n.Dial(network, l.Addr().String())
		require.NoError(t, err)
		defer other.Close()
		require.Equal(t, c.RemoteAddr(), other.RemoteAddr())
		require.IsType(t, c.LocalAddr(), other.LocalAddr())
	})
}

func TestAddresses(t *testing.T) {
	n := runNet(t)
	a, b := pair(t, n)
	require.Equal(t, a.LocalAddr(), b.RemoteAddr())
	require.Equal(t, b.LocalAddr(), a.RemoteAddr())
	require.Same(t, n, a.Net())
	all := listen(t, n, "tcp", ":0")
	c, err := n.Dial("tcp", fmt.Sprint("127.0.0.1:", all.Addr().(*net.TCPAddr).Port))
	require.NoError(t, err)
	defer c.Close()
	d, err := all.Accept()
	require.NoError(t, err)
	defer d.Close()
	require.Equal(t, c.RemoteAddr().String(), d.LocalAddr().String(), "not that of the listener, which is all addresses")
}

func TestTheHTTPServerOfTheStandardLibrary(t *testing.T) {
	n := runNet(t)
	l := listen(t, n, "tcp", "127.0.0.1:0")
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, r.Body)
	})}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	tr := &http.Transport{DialContext: n.DialContext}
	client := &http.Client{Transport: tr}
	for i := range 10 {
		text := strings.Repeat(fmt.Sprint(i), 1<<i)
		r, err := client.Post("http://"+l.Addr().String(), "text/plain", strings.NewReader(text))
		require.NoError(t, err)
		got, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		require.Equal(t, text, string(got))
		r.Body.Close()
	}
	tr.CloseIdleConnections()
	require.NoError(t, s.Close())
	require.ErrorIs(t, <-served, http.ErrServerClosed)
}

func TestHalfClose(t *testing.T) {
	onEachCaller(t, func(t *testing.T, start func(testing.TB, func() error) chan error) {
		n := runNet(t)
		a, b := pair(t, n)
		heard := start(t, func() error {
			all, err := io.ReadAll(b)
			if err != nil || string(all) != "question" {
				return fmt.Errorf("heard %q, %v", all, err)
			}
			if n, err := b.Read(make([]byte, 1)); n != 0 || err != io.EOF {
				return fmt.Errorf("after the end: %d, %v", n, err)
			}
			if _, err := io.WriteString(b, "answer"); err != nil {
				return err
			}
			return b.CloseWrite()
		})
		require.NoError(t, <-start(t, func() error {
			if _, err := io.WriteString(a, "question"); err != nil {
				return err
			}
			if err := a.CloseWrite(); err != nil {
				return err
			}
			all, err := io.ReadAll(a)
			if err != nil || string(all) != "answer" {
				return fmt.Errorf("heard %q, %v", all, err)
			}
			return nil
		}))
		require.NoError(t, <-heard)
		_, err := a.Write([]byte("more"))
		require.Error(t, err)
	})
}

func TestCloseReadEndsAWait(t *testing.T) {
	n := runNet(t)
	a, _ := pair(t, n)
	done := make(chan error, 1)
	spawn(t, func(*ctx.Task) {
		_, err := a.Read(make([]byte, 1))
		done <- err
	})
	require.NoError(t, a.CloseRead())
	require.Equal(t, io.EOF, <-done)
}

// Both ends send more than all buffers hold, at the same time.
func TestLargeTransfersBothWays(t *testing.T) {
	onEachCaller(t, func(t *testing.T, start func(testing.TB, func() error) chan error) {
		n := runNet(t)
		a, b := pair(t, n)
		size := scale(64 << 20)
		send := func(c *sched.Conn, seed uint64, sum *[]byte) func() error {
			return func() error {
				h := sha256.New()
				if _, err := io.CopyBuffer(struct{ io.Writer }{io.MultiWriter(h, c)},
					io.LimitReader(endless(seed), int64(size)), make([]byte, 300_000)); err != nil {
					return err
				}
				*sum = h.Sum(nil)
				return c.CloseWrite()
			}
		}
		receive := func(c *sched.Conn, sum *[]byte) func() error {
			return func() error {
				h := sha256.New()
				n, err := io.CopyBuffer(struct{ io.Writer }{h}, struct{ io.Reader }{c}, make([]byte, 200_000))
				if err != nil || n != int64(size) {
					return fmt.Errorf("%d bytes, %v", n, err)
				}
				*sum = h.Sum(nil)
				return nil
			}
		}
		var sums [4][]byte
		for _, done := range []chan error{
			start(t, send(a, 1, &sums[0])), start(t, receive(b, &sums[1])),
			start(t, send(b, 2, &sums[2])), start(t, receive(a, &sums[3])),
		} {
			require.NoError(t, <-done)
		}
		require.Equal(t, sums[0], sums[1])
		require.Equal(t, sums[2], sums[3])
	})
}

// endless is a stream of bytes that is cheap to make and does not repeat.
func endless(seed uint64) io.Reader { return rand.NewChaCha8([32]byte{0: byte(seed)}) }

// What one Write sends is not mixed with what another one sends, also when
// both have to wait for room.
func TestWritesTakeTurns(t *testing.T) {
	n := runNet(t)
	a, b := pair(t, n)
	const writers, length = 8, 300_000
	rounds := scale(40)
	for w := range writers {
		message := bytes.Repeat([]byte{byte('a' + w)}, length)
		write := func() {
			for range rounds {
				if _, err := a.Write(message); err != nil {
					t.Error(err)
				}
			}
		}
		if w%2 == 0 {
			spawn(t, func(*ctx.Task) { write() })
		} else {
			go write()
		}
	}
	counts := make(map[byte]int)
	got := make([]byte, length)
	for range writers * rounds {
		_, err := io.ReadFull(b, got)
		require.NoError(t, err)
		require.Equal(t, length, bytes.Count(got, got[:1]), "mixed")
		counts[got[0]]++
	}
	require.Len(t, counts, writers)
	for _, c := range counts {
		require.Equal(t, rounds, c)
	}
}

// Each byte goes to one reader, and all are served.
func TestReadersTakeTurns(t *testing.T) {
	n := runNet(t)
	a, b := pair(t, n)
	const readers = 10
	var mu sync.Mutex
	got := make(map[byte]int)
	var done sync.WaitGroup
	for r := range readers {
		done.Add(1)
		read := func() {
			defer done.Done()
			p := make([]byte, 1)
			if _, err := b.Read(p); err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			got[p[0]]++
		}
		if r%2 == 0 {
			spawn(t, func(*ctx.Task) { read() })
		} else {
			go read()
		}
	}
	for i := range readers {
		_, err := a.Write([]byte{byte(i)})
		require.NoError(t, err)
	}
	done.Wait()
	require.Len(t, got, readers)
}

func TestManyConnections(t *testing.T) {
	n := runNet(t)
	l := listen(t, n, "tcp", "127.0.0.1:0")
	echo(t, l)
	clients, rounds := scale(2000), 5
	var done atomic.Int32
	for i := range clients {
		spawn(t, func(*ctx.Task) {
			defer done.Add(1)
			c, err := n.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			for r := range rounds {
				if err := say(c, fmt.Sprint("client ", i, " round ", r)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	eventually(t, "all clients are done", func() bool { return int(done.Load()) == clients })
}

// Connections of one listener on the Nets of several goroutines.
func TestAcceptOnSpreadsConnections(t *testing.T) {
	nets := []*sched.Net{runNet(t), runNet(t), runNet(t)}
	l := listen(t, nets[0], "tcp", "127.0.0.1:0")
	clients := 3 * scale(100)
	spawn(t, func(*ctx.Task) {
		for i := range clients {
			c, err := l.AcceptOn(nets[i%3])
			if err != nil {
				t.Error(err)
				return
			}
			if c.Net() != nets[i%3] {
				t.Error("on another Net")
			}
			spawn(t, func(*ctx.Task) {
				defer c.Close()
				_, _ = io.Copy(c, c)
			})
		}
	})
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			c, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			if err := say(c, "hello"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestReusePort(t *testing.T) {
	n := runNet(t)
	first, err := n.Listen("tcp", "127.0.0.1:0", sched.ReusePort())
	require.NoError(t, err)
	second, err := n.Listen("tcp", first.Addr().String(), sched.ReusePort())
	require.NoError(t, err)
	echo(t, first)
	echo(t, second)
	for range 20 {
		c, err := n.Dial("tcp", first.Addr().String())
		require.NoError(t, err)
		require.NoError(t, say(c, "hello"))
		require.NoError(t, c.Close())
	}
	require.NoError(t, first.Close())
	require.NoError(t, second.Close())
}

func TestTheFileOfAUnixListenerGoesWithIt(t *testing.T) {
	n := runNet(t)
	path := filepath.Join(t.TempDir(), "s")
	for range 2 {
		l, err := n.Listen("unix", path)
		require.NoError(t, err)
		require.FileExists(t, path)
		require.NoError(t, l.Close())
		require.NoFileExists(t, path)
	}
}

// R13: functions of the standard library read from a Conn and do not notice that
// they are suspended.
func TestTheCallerOfReadNeedNotKnowThatItSuspends(t *testing.T) {
	n := runNet(t)
	a, b := pair(t, n)
	var got []byte
	var err error
	task := spawn(t, func(*ctx.Task) {
		got, err = io.ReadAll(iotest.OneByteReader(io.TeeReader(b, io.Discard)))
	})
	for i := range 100 {
		_, err := fmt.Fprint(a, i)
		require.NoError(t, err)
	}
	require.NoError(t, a.Close())
	require.NoError(t, task.Wait())
	require.NoError(t, err)
	require.Len(t, got, 190)
}

func TestEmptyReadsAndWrites(t *testing.T) {
	n := runNet(t)
	a, _ := pair(t, n)
	k, err := a.Read(nil)
	require.NoError(t, err)
	require.Zero(t, k)
	k, err = a.Write(nil)
	require.NoError(t, err)
	require.Zero(t, k)
	require.NoError(t, a.SetNoDelay(false))
	require.NoError(t, a.Close())
	_, err = a.Read(nil)
	require.ErrorIs(t, err, net.ErrClosed)
}

// A task whose descriptor is always ready does not keep the loop from others.
func TestABusyTaskLetsOthersHaveTheirTurn(t *testing.T) {
	n := openNet(t)
	l := listen(t, n, "tcp", "127.0.0.1:0")
	busy, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer busy.Close()
	patient, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer patient.Close()
	go func() {
		for {
			if _, err := busy.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	}()
	go func() { _, _ = patient.Write([]byte("at last")) }()
	var stop atomic.Bool
	require.NoError(t, n.Do(func() { beBusy(t, l, &stop) }))
	require.NoError(t, n.Do(func() { bePatient(t, l, &stop) }))
	require.NoError(t, n.Run())
	require.True(t, stop.Load())
}

func beBusy(t *testing.T, l *sched.Listener, stop *atomic.Bool) {
	spawn(t, func(*ctx.Task) {
		c, err := l.Accept()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		for p := make([]byte, 1); !stop.Load(); { // far slower than what comes
			if _, err := c.Read(p); err != nil {
				if !errors.Is(err, net.ErrClosed) {
					t.Error(err)
				}
				return
			}
		}
	})
}

func bePatient(t *testing.T, l *sched.Listener, stop *atomic.Bool) {
	spawn(t, func(*ctx.Task) {
		c, err := l.AcceptOn(l.Net())
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Net().Close()
		defer stop.Store(true)
		if _, err := io.ReadFull(c, make([]byte, len("at last"))); err != nil {
			t.Error(err)
		}
	})
}
