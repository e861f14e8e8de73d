package sched_test

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// A socket that is given the very port that it connects to is connected to
// itself. In a network of few ports that happens all the time.
func TestDialNeverConnectsToItself(t *testing.T) {
	n := runNet(t)
	for _, ports := range []string{"40000 40000", "40000 40003"} {
		require.NoError(t, <-onFewPorts(t, ports, func() error {
			before := openFiles(t)
			for range scale(160) {
				for _, address := range []string{"127.0.0.1:40000", ":40000", "localhost:40000"} {
					c, err := n.Dial("tcp", address)
					if err == nil {
						return fmt.Errorf("with ports %s: connected from %s to %s", ports, c.LocalAddr(), c.RemoteAddr())
					}
					if oe, ok := err.(*net.OpError); !ok || oe.Addr == nil {
						return fmt.Errorf("not the error of an attempt: %w", err)
					}
					require.ErrorIs(t, err, syscall.ECONNREFUSED)
				}
			}
			if after := openFiles(t); after > before {
				return fmt.Errorf("%d files were open before, %d after", before, after)
			}
			return nil
		}))
	}
}

func TestDialOfAFreePortIsRefusedEachTime(t *testing.T) {
	n := runNet(t)
	free := listen(t, n, "tcp", "127.0.0.1:0")
	require.NoError(t, free.Close())
	for range scale(8000) {
		_, err := n.Dial("tcp", free.Addr().String())
		require.ErrorIs(t, err, syscall.ECONNREFUSED)
	}
}

// onFewPorts calls f on a thread with a network of its own, in which the system
// chooses from few ports.
func onFewPorts(t *testing.T, ports string, f func() error) (done chan error) {
	done = make(chan error, 1)
	ready := make(chan error)
	go func() {
		runtime.LockOSThread() // for ever: the thread ends with the goroutine
		err := unix.Unshare(unix.CLONE_NEWNET)
		if err == nil {
			err = loopbackUp()
		}
		if err == nil {
			err = os.WriteFile("/proc/sys/net/ipv4/ip_local_port_range", []byte(ports), 0)
		}
		ready <- err
		if err == nil {
			done <- f()
		}
	}()
	if err := <-ready; err != nil {
		t.Skip("no network namespace of one's own here: ", err)
	}
	return done
}

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	ifr, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	ifr.SetUint16(unix.IFF_UP)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, ifr)
}

// openFiles counts the descriptors of the process.
func openFiles(t *testing.T) int {
	entries, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(entries)
}
