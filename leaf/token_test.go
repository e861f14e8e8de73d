package leaf_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/leaf"
	"github.com/stackhop/stackhop/resume"
)

// A subject is a primitive as what most of them are at heart: something that
// has tokens. wait takes one, try takes one that is there, give adds one. It
// starts with none.
type subject struct {
	wait    func() error
	try     func() bool
	give    func()
	waiters func() int
	oneOnly bool // there can be only one token
	spends  bool // a token is used up when it is given to a waiter, as a value is that was sent
}

// most is how many tokens a test may add to a subject.
const most = 1 << 20

var subjects = []struct {
	name string
	make func() subject
}{
	{"Mutex", func() subject {
		m := new(leaf.Mutex)
		_ = m.Lock()
		return subject{m.Lock, m.TryLock, m.Unlock, func() int { return leaf.MutexWaiters(m) }, true, false}
	}},
	{"RWMutex, writers", func() subject {
		m := new(leaf.RWMutex)
		_ = m.Lock()
		return subject{m.Lock, m.TryLock, m.Unlock, func() int { return leaf.RWMutexWaiters(m) }, true, false}
	}},
	{"Semaphore", func() subject {
		s := leaf.NewSemaphore(most)
		_ = s.Acquire(most)
		return subject{
			func() error { return s.Acquire(1) },
			func() bool { return s.TryAcquire(1) },
			func() { s.Release(1) },
			func() int { return leaf.SemaphoreWaiters(s) }, false, false,
		}
	}},
	{"Chan, receivers", func() subject {
		c := leaf.NewChan[int](4096)
		return subject{
			func() error { _, err := c.Recv(); return err },
			func() bool { _, ok, _ := c.TryRecv(); return ok },
			func() { _ = c.Send(1) },
			func() int { return leaf.ChanWaiters(c) }, false, false,
		}
	}},
	{"Chan, senders", func() subject {
		c := leaf.NewChan[int](1)
		_ = c.Send(0)
		return subject{
			func() error { return c.Send(1) },
			func() bool { ok, _ := c.TrySend(1); return ok },
			func() { _, _, _ = c.TryRecv() },
			func() int { return leaf.ChanWaiters(c) }, true, true,
		}
	}},
	{"Chan without buffer, senders", func() subject {
		// A token is a receiver, so none is ever there to try.
		c := new(leaf.Chan[int])
		return subject{
			func() error { return c.Send(1) },
			nil,
			func() { _, _, _ = c.TryRecv() },
			func() int { return leaf.ChanWaiters(c) }, false, true,
		}
	}},
	{"Cond", func() subject {
		c := leaf.NewCond(new(leaf.Mutex))
		return subject{
			func() error {
				if err := c.L.Lock(); err != nil {
					return err
				}
				defer c.L.Unlock()
				return c.Wait()
			},
			nil, // a signal that nobody waits for is gone
			c.Signal,
			func() int { return leaf.CondWaiters(c) }, false, false,
		}
	}},
}

func onEachSubject(t *testing.T, test func(t *testing.T, s subject)) {
	for _, s := range subjects {
		t.Run(s.name, func(t *testing.T) { test(t, s.make()) })
	}
}

// empty checks that no token is there.
func (s *subject) empty(t testing.TB) {
	t.Helper()
	if s.try != nil {
		require.False(t, s.try(), "a token too many")
	}
}

// A depot is a home where tasks stay until a test lets them go on.
type depot struct {
	mu sync.Mutex
	hs []resume.Handle
}

func (d *depot) Publish(h resume.Handle) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hs = append(d.hs, h)
}

// next lets the task go on that has been there longest, and answers what Resume
// does.
func (d *depot) next() error {
	d.mu.Lock()
	h := d.hs[0]
	d.hs = d.hs[1:]
	d.mu.Unlock()
	return h.Resume()
}
