package leaf_test

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/leaf"
	"github.com/stackhop/stackhop/resume"
)

// A ferry is a home on a goroutine of its own.
type ferry chan resume.Handle

func newFerry(t *testing.T) ferry {
	f := make(ferry, 1<<16)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for h := range f {
			_ = h.Resume() // or cancelled on the way
		}
	}()
	t.Cleanup(func() {
		close(f)
		<-done
	})
	return f
}

func (f ferry) Publish(h resume.Handle) { f <- h }

// canceller cancels tasks at random times from a goroutine of its own.
type canceller struct {
	tasks chan *ctx.Task
	done  chan struct{}
}

func newCanceller() *canceller {
	c := &canceller{make(chan *ctx.Task, 256), make(chan struct{})}
	go func() {
		defer close(c.done)
		for task := range c.tasks {
			for range rand.IntN(20) {
				runtime.Gosched()
			}
			_ = task.Cancel(errWhy) // or it has ended, or runs
		}
	}()
	return c
}

func (c *canceller) end() {
	close(c.tasks)
	<-c.done
}

// tokens circulate between goroutines, tasks, and tasks with a home, that are
// cancelled anywhere. In the end as many are there as in the beginning.
func TestTokensUnderStress(t *testing.T) {
	kinds := append(subjects[:0:0], subjects...)
	kinds = append(kinds, struct {
		name string
		make func() subject
	}{"Cond, guarding a count", func() subject { return countedByCond(t) }})
	for _, sub := range kinds {
		s := sub.make()
		if s.spends || s.try == nil {
			continue // give puts back what wait took: not so with these
		}
		t.Run(sub.name, func(t *testing.T) {
			n := 3
			if s.oneOnly {
				n = 1
			}
			for range n {
				s.give()
			}
			home, cancels := newFerry(t), newCanceller()
			var w leaf.WaitGroup
			var holders, got atomic.Int64
			use := func(pause time.Duration) {
				if holders.Add(1) > int64(n) {
					t.Error("more holders than tokens")
				}
				defer func() {
					holders.Add(-1)
					s.give()
				}()
				got.Add(1)
				_ = leaf.Sleep(pause)
			}
			rounds := scale(3000)
			var threads sync.WaitGroup
			for p := range 4 {
				threads.Go(func() {
					r := rand.New(rand.NewPCG(uint64(p), 1))
					for range rounds {
						if r.IntN(200) == 0 {
							noError(t, s.wait())
							use(0)
							continue
						}
						var opts []ctx.Option
						if r.IntN(2) == 0 {
							opts = append(opts, ctx.WithHome(home))
						}
						pause := time.Duration(r.IntN(2)) * time.Microsecond
						task, err := w.Go(func(*ctx.Task) {
							noError(t, s.wait())
							use(pause)
						}, opts...)
						noError(t, err)
						if r.IntN(2) == 0 {
							cancels.tasks <- task
						}
					}
				})
			}
			threads.Wait()
			cancels.end()
			require.NoError(t, w.Wait())
			require.Zero(t, s.waiters())
			for range n {
				require.True(t, s.try(), "a token is lost")
			}
			s.empty(t)
			t.Logf("%d of %d got a token", got.Load(), 4*rounds)
		})
	}
}

// countedByCond is a semaphore made of a Cond. To give it has to wait for the
// lock, which a task in its deferred calls cannot, if it is being cancelled. So
// a goroutine gives.
func countedByCond(t *testing.T) subject {
	c, n := leaf.NewCond(new(leaf.Mutex)), 0
	gifts, done := make(chan struct{}, 1<<16), make(chan struct{})
	var open atomic.Int64 // gifts on their way
	go func() {
		defer close(done)
		for range gifts {
			noError(t, c.L.Lock())
			n++
			c.Signal()
			c.L.Unlock()
			open.Add(-1)
		}
	}()
	t.Cleanup(func() {
		close(gifts)
		<-done
	})
	return subject{
		wait: func() error {
			if err := c.L.Lock(); err != nil {
				return err
			}
			defer c.L.Unlock()
			for n == 0 {
				if err := c.Wait(); err != nil {
					return err
				}
			}
			n--
			return nil
		},
		try: func() bool {
			eventually(t, "all is given", func() bool { return open.Load() == 0 })
			noError(t, c.L.Lock())
			defer c.L.Unlock()
			if n == 0 {
				return false
			}
			n--
			return true
		},
		give: func() {
			open.Add(1)
			gifts <- struct{}{}
		},
		waiters: func() int { return leaf.CondWaiters(c) + leaf.MutexWaiters(c.L) },
	}
}

// Each value is received once, if its Send returned, and at most once if that was
// cancelled.
func TestValuesUnderStress(t *testing.T) {
	for _, capacity := range []int{0, 1, 7} {
		c, home, cancels := leaf.NewChan[int](capacity), newFerry(t), newCanceller()
		n := scale(4000)
		sent, received := make([]atomic.Bool, 4*n), make([]atomic.Int32, 4*n)
		var senders, receivers leaf.WaitGroup
		var threads sync.WaitGroup
		take := func() bool {
			v, err := c.Recv()
			if err != nil {
				require.ErrorIs(t, err, leaf.ErrClosed)
				return false
			}
			received[v].Add(1)
			return true
		}
		for p := range 4 {
			threads.Go(func() {
				r := rand.New(rand.NewPCG(uint64(p), 2))
				for i := range n {
					v := p*n + i
					opts := []ctx.Option{ctx.WithName("sender")}
					if r.IntN(2) == 0 {
						opts = append(opts, ctx.WithHome(home))
					}
					task, err := senders.Go(func(*ctx.Task) {
						noError(t, c.Send(v))
						sent[v].Store(true)
					}, opts...)
					noError(t, err)
					if r.IntN(3) == 0 {
						cancels.tasks <- task
					}
					if r.IntN(2) == 0 {
						continue // the goroutine takes it
					}
					task, err = receivers.Go(func(*ctx.Task) { take() }, opts[1:]...)
					noError(t, err)
					if r.IntN(3) == 0 {
						cancels.tasks <- task
					}
				}
			})
		}
		closed := make(chan struct{})
		go func() { // a plain goroutine takes what is left over
			defer close(closed)
			for take() {
			}
		}()
		threads.Wait()
		require.NoError(t, senders.Wait())
		require.NoError(t, c.Close())
		cancels.end()
		require.NoError(t, receivers.Wait())
		<-closed
		for take() {
		}
		require.Zero(t, c.Len())
		lost, cut := 0, 0
		for v := range received {
			switch got := received[v].Load(); {
			case got > 1:
				t.Errorf("value %d was received %d times", v, got)
			case got == 0 && sent[v].Load():
				lost++
			case got == 0:
				cut++
			}
		}
		require.Zero(t, lost, "sent, and lost")
		t.Logf("capacity %d: %d of %d cancelled before they were sent", capacity, cut, len(received))
	}
}

// A few tasks wait at the same places again and again, so that nodes are bound to
// them, and others come and go between and are cancelled.
func TestTasksThatWaitAgainAndAgain(t *testing.T) {
	for _, capacity := range []int{0, 2} {
		c, home, cancels := leaf.NewChan[*int](capacity), newFerry(t), newCanceller()
		var m leaf.Mutex
		var senders, receivers leaf.WaitGroup
		var sent, received atomic.Int64
		held, n := false, scale(1000)
		lock := func() {
			noError(t, m.Lock())
			defer m.Unlock()
			if held {
				t.Error("two have the lock")
			}
			held = true
			defer func() { held = false }()
			if rand.IntN(4) == 0 {
				_ = leaf.Sleep(time.Microsecond)
			}
		}
		send := func(rounds int) {
			for range rounds {
				noError(t, c.Send(new(int)))
				sent.Add(1)
				lock()
			}
		}
		receive := func(rounds int) {
			for range rounds {
				v, err := c.Recv()
				if err != nil {
					require.ErrorIs(t, err, leaf.ErrClosed)
					return
				}
				if v == nil || *v != 0 {
					t.Error("received twice, or nothing")
					continue
				}
				*v++
				received.Add(1)
				lock()
			}
		}
		var threads sync.WaitGroup
		for p := range 3 {
			threads.Go(func() {
				var opts []ctx.Option
				if p == 0 {
					opts = append(opts, ctx.WithHome(home))
				}
				_, err := receivers.Go(func(*ctx.Task) { receive(1 << 30) }, opts...)
				noError(t, err)
				_, err = senders.Go(func(*ctx.Task) { send(n) }, opts...)
				noError(t, err)
				for i := range n {
					task, err := receivers.Go(func(*ctx.Task) { receive(3) }, opts...)
					noError(t, err)
					if i%3 == 0 {
						cancels.tasks <- task
					}
					task, err = senders.Go(func(*ctx.Task) { send(3) }, opts...)
					noError(t, err)
					if i%5 == 0 {
						cancels.tasks <- task
					}
				}
			})
		}
		threads.Wait()
		require.NoError(t, senders.Wait())
		cancels.end()
		require.NoError(t, c.Close())
		require.NoError(t, receivers.Wait())
		for v, err := c.Recv(); err == nil; v, err = c.Recv() {
			require.Zero(t, *v)
			received.Add(1)
		}
		// A sender that is cancelled may have sent one more than it has counted, and a
		// receiver that is cancelled gives back what it got.
		require.GreaterOrEqual(t, received.Load(), sent.Load(), "sent, and lost")
		require.True(t, m.TryLock())
	}
}

// Waiters of an event come and go, and are cancelled, while it is set and reset.
func TestEventsUnderStress(t *testing.T) {
	var e leaf.Event
	var w leaf.WaitGroup
	home, cancels := newFerry(t), newCanceller()
	stop := make(chan struct{})
	var setter sync.WaitGroup
	setter.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				e.Set()
				return
			default:
			}
			if i%3 == 0 {
				e.Broadcast()
			} else {
				e.Set()
				e.Reset()
			}
			runtime.Gosched()
		}
	})
	var threads sync.WaitGroup
	for range 3 {
		threads.Go(func() {
			for i := range scale(3000) {
				var opts []ctx.Option
				if i%2 == 0 {
					opts = append(opts, ctx.WithHome(home))
				}
				task, err := w.Go(func(*ctx.Task) { noError(t, e.Wait()) }, opts...)
				noError(t, err)
				if i%3 == 0 {
					cancels.tasks <- task
				}
			}
		})
	}
	threads.Wait()
	cancels.end()
	close(stop)
	setter.Wait()
	require.NoError(t, w.Wait())
	require.Zero(t, leaf.EventWaiters(&e))
}
