package sched_test

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/stackhop/stackhop/ctx"
)

// Where a read ends before it has emptied the socket: the rest is not forgotten.

func TestReadGoesOnBehindUrgentData(t *testing.T) {
	n := runNet(t)
	l := listen(t, n, "tcp", "127.0.0.1:0")
	peer, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer peer.Close()
	c, err := l.Accept()
	require.NoError(t, err)
	defer c.Close()
	raw, err := peer.(*net.TCPConn).SyscallConn()
	require.NoError(t, err)
	for range scale(50) {
		var got []byte
		task := spawn(t, func(*ctx.Task) {
			p := make([]byte, 100)
			for len(got) < len("beforebehind") {
				k, err := c.Read(p)
				if err != nil {
					t.Error(err)
					return
				}
				got = append(got, p[:k]...)
			}
		})
		for _, part := range []struct {
			text  string
			flags int
		}{{"before", 0}, {"!", unix.MSG_OOB}, {"behind", 0}} {
			require.NoError(t, raw.Control(func(fd uintptr) {
				err = unix.Sendto(int(fd), []byte(part.text), part.flags, nil)
			}))
			require.NoError(t, err)
		}
		require.NoError(t, task.Wait())
		require.Equal(t, "beforebehind", string(got))
	}
}

func TestReadGoesOnBehindAPassedDescriptor(t *testing.T) {
	n := runNet(t)
	l := listen(t, n, "unix", filepath.Join(t.TempDir(), "s"))
	peer, err := net.Dial("unix", l.Addr().String())
	require.NoError(t, err)
	defer peer.Close()
	c, err := l.Accept()
	require.NoError(t, err)
	defer c.Close()
	var first, second []byte
	task := spawn(t, func(*ctx.Task) {
		p := make([]byte, 100)
		k, err := c.Read(p)
		if err != nil {
			t.Error(err)
		}
		first = append(first, p[:k]...)
		if k, err = c.Read(p); err != nil {
			t.Error(err)
		}
		second = append(second, p[:k]...)
	})
	held, let := make(chan struct{}), make(chan struct{})
	require.NoError(t, n.Do(func() { close(held); <-let }))
	<-held // so that the system reports both parts as one
	_, _, err = peer.(*net.UnixConn).WriteMsgUnix([]byte("with"), unix.UnixRights(int(os.Stdin.Fd())), nil)
	require.NoError(t, err)
	_, err = peer.Write([]byte("without"))
	require.NoError(t, err)
	close(let)
	require.NoError(t, task.Wait())
	require.Equal(t, "with", string(first))
	require.Equal(t, "without", string(second))
}
