package main

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// start runs a server until the test has shut it down.
func start(t *testing.T, network, address string, nets int, handle Handler) (*Server, chan error) {
	s, err := Listen(network, address, nets, handle)
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	require.NoError(t, err)
	ran := make(chan error, 1)
	go func() { ran <- s.Run() }()
	t.Cleanup(func() { s.Shutdown(0) })
	return s, ran
}

func dial(t *testing.T, to net.Addr) net.Conn {
	c, err := net.Dial(to.Network(), to.String())
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

func say(c net.Conn, text string) error {
	if _, err := io.WriteString(c, text); err != nil {
		return err
	}
	got := make([]byte, len(text))
	if _, err := io.ReadFull(c, got); err != nil {
		return err
	}
	if string(got) != text {
		return fmt.Errorf("said %q, heard %q", text, got)
	}
	return nil
}

func TestEcho(t *testing.T) {
	for _, at := range [][2]string{{"tcp", "127.0.0.1:0"}, {"unix", filepath.Join(t.TempDir(), "s")}} {
		for _, nets := range []int{1, 3} {
			t.Run(fmt.Sprint(at[0], " on ", nets), func(t *testing.T) {
				s, ran := start(t, at[0], at[1], nets, Echo)
				var clients sync.WaitGroup
				for i := range 50 {
					c := dial(t, s.Addr())
					clients.Go(func() {
						for r := range 20 {
							if err := say(c, fmt.Sprint(i, " says ", r)); err != nil {
								t.Error(err)
							}
						}
					})
				}
				clients.Wait()
				s.Shutdown(0)
				require.NoError(t, <-ran)
			})
		}
	}
}

// Cancelling the acceptor cancels every client's task; all that was open is
// closed, and Run returns.
func TestShutdownByCancel(t *testing.T) {
	for _, nets := range []int{1, 2} {
		t.Run(fmt.Sprint("nets ", nets), func(t *testing.T) {
			s, ran := start(t, "tcp", "127.0.0.1:0", nets, Echo)
			var idle []net.Conn
			for range 20 {
				c := dial(t, s.Addr())
				require.NoError(t, say(c, "hello"))
				idle = append(idle, c)
			}
			s.Shutdown(0)
			require.NoError(t, <-ran)
			require.True(t, s.acceptor.Done())
			require.Empty(t, s.clients)
			for _, c := range idle {
				require.NoError(t, c.SetReadDeadline(time.Now().Add(10*time.Second)))
				_, err := c.Read(make([]byte, 1))
				require.Equal(t, io.EOF, err)
			}
			_, err := net.Dial("tcp", s.Addr().String())
			require.Error(t, err)
		})
	}
}

// Within the grace a task ends by itself, having said what it had to say.
func TestShutdownDrains(t *testing.T) {
	s, ran := start(t, "tcp", "127.0.0.1:0", 1, Echo)
	slow, idle := dial(t, s.Addr()), dial(t, s.Addr())
	require.NoError(t, say(slow, "hello"))
	require.NoError(t, say(idle, "hello"))
	// slow sends more than it reads, until the server waits for room.
	sent := 0
	for p := make([]byte, 1<<16); ; {
		require.NoError(t, slow.SetWriteDeadline(time.Now().Add(50*time.Millisecond)))
		n, err := slow.Write(p)
		sent += n
		if err != nil {
			require.ErrorIs(t, err, os.ErrDeadlineExceeded)
			break
		}
	}
	s.Shutdown(time.Hour)
	_, err := idle.Read(make([]byte, 1))
	require.Equal(t, io.EOF, err)
	heard, _ := io.Copy(io.Discard, slow) // a reset at the end: not all of it was read
	require.Positive(t, heard)
	require.NoError(t, <-ran)
	require.NoError(t, s.acceptor.Err(), "ended, not cancelled")
	require.LessOrEqual(t, heard, int64(sent))
}

func TestHTTP(t *testing.T) {
	s, _ := start(t, "tcp", "127.0.0.1:0", 2, HTTP)
	twin, err := ListenTwin("tcp", "127.0.0.1:0", HTTP)
	require.NoError(t, err)
	go func() { _ = twin.Run() }()
	t.Cleanup(func() { twin.Close() })
	for _, at := range []net.Addr{s.Addr(), twin.Addr()} {
		url := "http://" + at.String() + "/some/where?x=y"
		for range 3 {
			r, err := http.Get(url)
			require.NoError(t, err)
			require.Equal(t, http.StatusOK, r.StatusCode)
			_, err = http.ParseTime(r.Header.Get("Date"))
			require.NoError(t, err)
			body, err := io.ReadAll(r.Body)
			require.NoError(t, err)
			require.Equal(t, greeting, body)
			r.Body.Close()
		}
		r, err := http.Post(url, "text/plain", strings.NewReader(strings.Repeat("x", 10_000)))
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, r.StatusCode)
		r.Body.Close()
		r, err = http.Head(url)
		require.NoError(t, err)
		require.EqualValues(t, len(greeting), r.ContentLength)
		http.DefaultClient.CloseIdleConnections()
	}
}

// A wire is a client that says all at once, in pieces of some length.
type wire struct {
	in    io.Reader
	piece int
	out   bytes.Buffer
}

func (w *wire) Write(p []byte) (int, error) { return w.out.Write(p) }
func (w *wire) Read(p []byte) (int, error)  { return w.in.Read(p[:min(len(p), w.piece)]) }

func TestHTTPRequests(t *testing.T) {
	const host = "Host: h\r\n"
	for _, c := range []struct {
		name, say string
		statuses  []int
	}{
		{"plain", "GET / HTTP/1.1\r\n" + host + "\r\n", []int{200}},
		{"several at once", strings.Repeat("GET /a HTTP/1.1\r\nUser-Agent: x\r\n"+host+"\r\n", 3), []int{200, 200, 200}},
		{"closing", "GET / HTTP/1.1\r\nConnection: close\r\n" + host + "\r\nGET / HTTP/1.1\r\n" + host + "\r\n", []int{200}},
		{"1.0", "GET / HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\n\r\n", []int{200}},
		{"1.0, kept", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.0\r\n\r\n", []int{200, 200}},
		{"with a body", "POST / HTTP/1.1\r\n" + host + "Content-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\n" + host + "\r\n", []int{200, 200}},
		{"with chunks", "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" +
			"GET / HTTP/1.1\r\n" + host + "\r\n", []int{200, 200}},
		{"that expects", "POST / HTTP/1.1\r\n" + host + "Expect: 100-continue\r\nContent-Length: 1\r\n\r\nx", []int{100, 200}},
		{"with too long a body", "POST / HTTP/1.1\r\n" + host + "Content-Length: 2000000\r\n\r\n" + strings.Repeat("x", 2_000_000), []int{413}},
		{"with half a body", "POST / HTTP/1.1\r\n" + host + "Content-Length: 3\r\n\r\nab", []int{400}},
		{"without a host", "GET / HTTP/1.1\r\n\r\n", []int{400}},
		{"with two hosts", "GET / HTTP/1.1\r\n" + host + host + "\r\n", []int{400}},
		{"rubbish", "rubbish\r\n\r\n", []int{400}},
		{"2.0", "GET / HTTP/2.0\r\n" + host + "\r\n", []int{505}},
		{"a method unheard of", "BREW / HTTP/1.1\r\n" + host + "\r\n", []int{501}},
		{"nothing", "", nil},
		{"half a line", "GET / HT", []int{400}},
	} {
		for _, piece := range []int{1, 7, 1 << 20} {
			t.Run(fmt.Sprint(c.name, " in pieces of ", piece), func(t *testing.T) {
				w := &wire{in: strings.NewReader(c.say), piece: piece}
				_ = HTTP(w)
				var got []int
				for r := bufio.NewReader(&w.out); ; {
					resp, err := http.ReadResponse(r, nil)
					if err != nil {
						require.ErrorIs(t, err, io.ErrUnexpectedEOF)
						break
					}
					_, err = io.Copy(io.Discard, resp.Body)
					require.NoError(t, err)
					got = append(got, resp.StatusCode)
				}
				require.Equal(t, c.statuses, got)
			})
		}
	}
}

func TestErrors(t *testing.T) {
	require.ErrorContains(t, run([]string{"-what"}, io.Discard), "-what")
	require.ErrorIs(t, run([]string{"-h"}, io.Discard), flag.ErrHelp)
	for _, c := range []struct {
		name string
		args []string
		as   any
	}{
		{"an unknown network", []string{"-network", "udp"}, new(*net.OpError)},
		{"an address that is none", []string{"-addr", "nowhere"}, new(*net.AddrError)},
		{"the same for the twin", []string{"-twin", "-addr", "nowhere"}, new(*net.OpError)},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := run(c.args, io.Discard)
			if errors.Is(err, errors.ErrUnsupported) {
				t.Skip(err)
			}
			require.ErrorAs(t, err, c.as)
		})
	}
}
