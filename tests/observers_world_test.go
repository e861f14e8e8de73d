package tests

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sync"
	"testing"
	"time"

	"github.com/stackhop/stackhop/internal/testsupport"
	"github.com/stretchr/testify/require"
)

// worlds are what a task does with the world outside: it may block in it, and
// suspends before and after.
var worlds = []struct {
	name string
	body func(t *testing.T, yield func()) error
}{
	{"os/exec", func(t *testing.T, yield func()) error {
		if reason := testsupport.NoChildren(); reason != "" {
			return nil
		}
		cmd := exec.Command("/bin/sh", "-c", "read x; echo got $x")
		if _, err := os.Stat(cmd.Path); err != nil {
			return nil
		}
		cmd.Stdin = bytes.NewBufferString("word\n")
		yield()
		out, err := cmd.Output()
		yield()
		if string(out) != "got word\n" {
			err = errors.Join(err, fmt.Errorf("output %q", out))
		}
		return err
	}},
	{"net", func(t *testing.T, yield func()) error {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Logf("no loopback network: %v", err)
			return nil
		}
		defer l.Close()
		go func() {
			if c, err := l.Accept(); err == nil {
				_, _ = io.Copy(c, c) // what is missing shows at the other end
				_ = c.Close()
			}
		}()
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			return err
		}
		defer c.Close()
		for i := range 20 {
			want := fmt.Sprintf("message %2d", i)
			if _, err := io.WriteString(c, want); err != nil {
				return err
			}
			yield()
			got := make([]byte, len(want))
			if _, err := io.ReadFull(c, got); err != nil || string(got) != want {
				return fmt.Errorf("read %q, %w", got, err)
			}
		}
		if err := c.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
			return err
		}
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			return fmt.Errorf("deadline: %w", err)
		}
		return nil
	}},
	{"files", func(t *testing.T, yield func()) error {
		path := filepath.Join(t.TempDir(), "f")
		for i := range 10 {
			data := bytes.Repeat([]byte{byte(i)}, 5000)
			if err := os.WriteFile(path, data, 0o600); err != nil {
				return err
			}
			yield()
			got, err := os.ReadFile(path)
			if err != nil || !bytes.Equal(got, data) {
				return fmt.Errorf("read %d bytes, %w", len(got), err)
			}
		}
		return nil
	}},
	{"timers", func(_ *testing.T, yield func()) error {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for range 5 {
			<-tick.C
			yield()
		}
		fired := make(chan int, 1)
		time.AfterFunc(time.Millisecond, func() { fired <- 1 })
		time.Sleep(time.Millisecond)
		yield()
		<-fired
		c, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		<-c.Done()
		return nil
	}},
	{"select", func(_ *testing.T, yield func()) error {
		in, out, stop := make(chan int), make(chan int), make(chan struct{})
		go func() {
			defer close(out)
			for v := range in {
				out <- v * v
			}
		}()
		sum, sent := 0, 0
		feed := in
		for sent < 10 || sum < 285 {
			if sent == 10 {
				feed = nil
			}
			select {
			case feed <- sent:
				sent++
			case v := <-out:
				sum += v
				yield()
			case <-stop:
				return errors.New("stopped")
			}
		}
		close(in)
		<-out
		return nil
	}},
	{"sync", func(_ *testing.T, yield func()) error {
		var wg sync.WaitGroup
		var mu sync.Mutex
		cond := sync.NewCond(&mu)
		n := 0
		for range 10 {
			wg.Go(func() { mu.Lock(); n++; cond.Broadcast(); mu.Unlock() })
		}
		yield()
		mu.Lock()
		for n < 10 {
			cond.Wait()
		}
		mu.Unlock()
		wg.Wait()
		return nil
	}},
	{"memory faults", func(_ *testing.T, yield func()) error {
		defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
		for range 3 {
			var err any
			func() {
				defer func() { yield(); err = recover() }()
				var p *stressNode
				p.value++
			}()
			if _, ok := err.(runtime.Error); !ok {
				return fmt.Errorf("recovered %v", err)
			}
			yield()
		}
		return nil
	}},
	{"cleanups", func(_ *testing.T, yield func()) error {
		freed := make(chan int, 1)
		func() {
			p := new([128]int)
			runtime.AddCleanup(p, func(v int) { freed <- v }, 7)
			yield()
			p[0]++
		}()
		for {
			clearStack(64)
			runtime.GC()
			select {
			case v := <-freed:
				if v != 7 {
					return fmt.Errorf("cleanup got %d", v)
				}
				return nil
			case <-time.After(time.Millisecond):
				yield()
			}
		}
	}},
}

//go:noinline
func clearStack(n int) int {
	var frame [16]int
	if n > 0 {
		return clearStack(n-1) + frame[n%16]
	}
	return 0
}

func TestWorldFromATask(t *testing.T) {
	eachRunner(t, func(t *testing.T, r runner) {
		for _, w := range worlds {
			t.Run(w.name, func(t *testing.T) {
				err := errors.New("not ended")
				n := 0
				drain(r.start(t, func(yield func()) { err = w.body(t, yield) }), func() {
					if n++; n%4 == 1 {
						look()
					}
				})
				require.NoError(t, err)
			})
		}
	})
}
