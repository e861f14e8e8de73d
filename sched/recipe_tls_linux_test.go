package sched_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	crand "crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/ctx"
	leaves "github.com/stackhop/stackhop/leaf"
	"github.com/stackhop/stackhop/sched"
)

// An outbox is a connection with a Write that does not wait: flush, on a task of its
// own, sends what was written. So a tls.Conn on it never holds its lock for writing while
// its task is suspended. All its tasks are of one Net.
type outbox struct {
	net.Conn
	data    []byte
	closing bool
	more    *leaves.Chan[struct{}] // something is to be done; has room for one
	room    *leaves.Chan[struct{}] // something has been sent; likewise
}

func newOutbox(c net.Conn) *outbox {
	return &outbox{Conn: c, more: leaves.NewChan[struct{}](1), room: leaves.NewChan[struct{}](1)}
}

func (o *outbox) Write(p []byte) (int, error) {
	if o.closing {
		return 0, net.ErrClosed
	}
	o.data = append(o.data, p...)
	_, err := o.more.TrySend(struct{}{})
	return len(p), err // leaf.ErrClosed after flush has failed
}

// Close has flush close the connection when all is sent.
func (o *outbox) Close() error {
	o.closing = true
	_, err := o.more.TrySend(struct{}{})
	return err
}

// A Write does not wait: its deadline is flush's business.
func (o *outbox) SetWriteDeadline(time.Time) error { return nil }
func (o *outbox) SetDeadline(t time.Time) error    { return o.Conn.SetReadDeadline(t) }

// drain waits until at most limit bytes are left to be sent. The one task that
// writes calls it after each Write.
func (o *outbox) drain(limit int) error {
	for len(o.data) > limit {
		if _, err := o.room.Recv(); err != nil {
			return err
		}
	}
	return nil
}

// flush is the body of a task.
func (o *outbox) flush(*ctx.Task) {
	defer o.Conn.Close()
	defer o.room.Close()
	defer o.more.Close()
	for !o.closing || len(o.data) != 0 {
		if len(o.data) == 0 {
			if _, err := o.more.Recv(); err != nil {
				return
			}
			continue
		}
		data := o.data
		o.data = nil
		if _, err := o.Conn.Write(data); err != nil {
			return
		}
		_, _ = o.room.TrySend(struct{}{})
	}
}

// Both ends of a TLS connection send more than all buffers hold, at the same time, with a
// task that reads and one that writes.
func TestRecipeTLSReadAndWriteAtTheSameTime(t *testing.T) {
	n := runNet(t)
	reported := hangs(n)
	server, client := tlsConfigs(t)
	const pairs = 4
	size := scale(16 << 20)
	var ended atomic.Int32
	for i := range pairs {
		a, b := pair(t, n)
		for _, end := range []struct {
			conn *sched.Conn
			wrap func(net.Conn) *tls.Conn
			seed uint64
		}{
			{a, func(c net.Conn) *tls.Conn { return tls.Client(c, client) }, uint64(2 * i)},
			{b, func(c net.Conn) *tls.Conn { return tls.Server(c, server) }, uint64(2*i + 1)},
		} {
			o := newOutbox(end.conn)
			c := end.wrap(o)
			require.NoError(t, n.Do(func() {
				spawn(t, func(task *ctx.Task) {
					defer ended.Add(1)
					o.flush(task)
				}, ctx.WithHome(n))
				spawn(t, func(*ctx.Task) {
					defer ended.Add(1)
					if err := c.Handshake(); err != nil { // before the other task comes
						t.Error(err)
						return
					}
					writer := spawn(t, func(*ctx.Task) {
						for from, p := io.LimitReader(endless(end.seed), int64(size)), make([]byte, 30_000); ; {
							k, err := from.Read(p)
							if err != nil {
								break
							}
							if _, err := c.Write(p[:k]); err != nil {
								t.Error(err)
							}
							if err := o.drain(1 << 20); err != nil {
								t.Error(err)
							}
						}
						if err := c.CloseWrite(); err != nil {
							t.Error(err)
						}
					}, ctx.WithHome(n))
					got, want := sha256.New(), sha256.New()
					if k, err := io.Copy(got, c); err != nil || k != int64(size) {
						t.Errorf("%d bytes, %v", k, err)
					}
					_, _ = io.CopyN(want, endless(end.seed^1), int64(size))
					if !bytes.Equal(got.Sum(nil), want.Sum(nil)) {
						t.Error("not what was sent")
					}
					if err := writer.Wait(); err != nil {
						t.Error(err)
					}
					if err := c.Close(); err != nil {
						t.Error(err)
					}
				}, ctx.WithHome(n))
			}))
		}
	}
	eventually(t, "all is sent and received", func() bool { return ended.Load() == 4*pairs })
	require.Empty(t, reported)
}

// The same with goroutines, which need no outbox.
func TestRecipeTLSOnGoroutines(t *testing.T) {
	n := runNet(t)
	server, client := tlsConfigs(t)
	a, b := pair(t, n)
	size := int64(scale(16 << 20))
	done := make(chan error, 4)
	for _, c := range []*tls.Conn{tls.Client(a, client), tls.Server(b, server)} {
		go func() {
			_, err := io.CopyN(c, endless(1), size)
			done <- err
		}()
		go func() {
			_, err := io.CopyN(io.Discard, c, size)
			done <- err
		}()
	}
	for range 4 {
		require.NoError(t, <-done)
	}
}

// Why the recipe is needed: two tasks use a connection before it has shaken hands, and
// block the Net. That is reported, and after HandOver they go on.
func TestTwoTasksOfATLSConnectionThatShakesHands(t *testing.T) {
	for _, after := range []time.Duration{time.Millisecond, 10 * stallAfter} {
		t.Run(fmt.Sprint("HandOver after ", after), func(t *testing.T) {
			n := runNet(t)
			n.HandOver(after)
			reported := stalls(n)
			server, client := tlsConfigs(t)
			a, b := pair(t, n)
			peer := tls.Server(b, server)
			c := tls.Client(a, client)
			done := make(chan error, 2)
			for i, use := range []func() error{
				func() error { _, err := io.ReadFull(c, make([]byte, 5)); return err },
				func() error { _, err := c.Write([]byte("hello")); return err },
			} {
				spawn(t, func(task *ctx.Task) {
					task.SuspendTo(n)
					done <- use()
				}, ctx.WithHome(n), ctx.WithName([]string{"reader", "writer"}[i]))
			}
			echoed := make(chan error, 1)
			go func() {
				_, err := io.CopyN(peer, peer, 5)
				echoed <- err
			}()
			if after > stallAfter {
				s := <-reported
				require.Equal(t, "writer", s.Tasks[0].Name)
				require.Equal(t, "sync.Mutex.Lock", s.Tasks[0].WaitsOn)
			}
			require.NoError(t, <-echoed)
			require.NoError(t, <-done)
			require.NoError(t, <-done)
		})
	}
}

// tlsConfigs makes what a server and a client need to trust each other.
func tlsConfigs(t *testing.T) (server, client *tls.Config) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), crand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "stackhop"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(crand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}},
		&tls.Config{RootCAs: roots, ServerName: "127.0.0.1"}
}
