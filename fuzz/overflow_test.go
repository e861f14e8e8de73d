package fuzz

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/guard"
	"github.com/stackhop/stackhop/resume"
)

// A plunge is a recursion without end. Its n-th level does what the n-th byte says.
type plunge struct {
	script  []byte
	t       *ctx.Task
	handle  resume.Handle
	m       sync.Map
	mu      sync.Mutex
	in, out int // calls begun, and their deferred calls run
}

func (p *plunge) leave()               { p.out++ }
func (p *plunge) Close() error         { p.out++; return nil }
func (p *plunge) keep(h resume.Handle) { p.handle = h }
func (p *plunge) lend(n int, a []byte) { a[n%len(a)]++; p.level(n + 1); a[n%len(a)]-- }
func (p *plunge) String() string       { return fmt.Sprint(p.in) }
func (p *plunge) op(n int) (what, size byte) {
	b := p.script[n%len(p.script)]
	return b & 15, b >> 4
}

//go:noinline
func (p *plunge) level(n int) {
	what, size := p.op(n)
	switch size & 3 { // the form of the deferred call; its size is that of the frame
	case 0:
		defer func() { p.out++ }()
	case 1:
		defer p.leave()
	case 2:
		var c io.Closer = p
		defer c.Close()
	case 3:
		for range 1 {
			defer p.leave()
		}
	}
	p.in++
	switch what {
	case 0:
		p.t.Yield()
	case 1:
		p.t.Suspend(p.keep)
	case 2:
		time.Sleep(time.Nanosecond)
	case 3:
		runtime.Gosched()
	case 4:
		ch := make(chan int, 1)
		go func() { ch <- 1 }()
		<-ch
	case 5:
		p.m.Store(n, n)
	case 6:
		func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			runtime.Gosched()
		}()
	case 7:
		print("")
	case 8:
		_ = fmt.Sprint(n, p)
	case 9:
		new(sync.Once).Do(func() { time.Sleep(time.Nanosecond) })
	case 10:
		new(sync.Once).Do(func() { p.level(n + 1) })
		return
	case 11:
		var a [200]byte
		p.lend(n, a[:])
		return
	case 12:
		var a [3000]byte
		p.lend(n, a[:])
		return
	}
	p.level(n + 1)
}

// FuzzOverflow: whatever the levels of a recursion do, its task ends with a
// *guard.OverflowError, and every deferred call has run once.
func FuzzOverflow(f *testing.F) {
	if b := stackhop.Backend(); b.Name != "asm" {
		f.Skipf("stacks of the runtime overflow at its limit only: %s", b.Reason)
	}
	pool, err := guard.NewPool(guard.Growing, 32<<10)
	require.NoError(f, err)
	f.Cleanup(func() { require.NoError(f, pool.Close()) })
	for what := range byte(13) {
		for form := range byte(4) {
			f.Add([]byte{what | form<<4})
		}
		f.Add([]byte{what, 0x10 | (what+3)%13, 0x20 | (what+5)%13, 0x30 | (what+7)%13, 0x10 | 11})
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		if len(script) == 0 {
			return
		}
		p := &plunge{script: script}
		task, err := ctx.Spawn(func(t *ctx.Task) { p.t = t; p.level(0) }, ctx.WithPool(pool))
		require.NoError(t, err)
		for !task.Done() {
			if p.handle.Live() {
				require.NoError(t, p.handle.Resume())
				continue
			}
			require.NoError(t, task.Resume())
		}
		var oe *guard.OverflowError
		require.True(t, errors.As(task.Err(), &oe), "ended with %v", task.Err())
		require.Equal(t, p.in, p.out, "calls, and their deferred calls")
		require.True(t, p.mu.TryLock(), "an Unlock was lost")
	})
}
