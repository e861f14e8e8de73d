package sched_test

import (
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/cancel"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/internal/testsupport"
	"github.com/stackhop/stackhop/resume"
	"github.com/stackhop/stackhop/sched"
)

// A wait is one of the calls that wait, on something that makes it wait, and
// what sets its deadline and closes it.
type wait struct {
	name     string
	call     func() error
	deadline func(time.Time) error
	close    func() error
	prepare  func(t testing.TB) // has the next call wait again
	serve    func(t testing.TB) // lets the next call succeed
}

// waits are all waits, on new sockets of n.
func waits(t testing.TB, n *sched.Net) []wait {
	a, b := pair(t, n)
	// A Unix socket is full for good: TCP finds more room, some time after.
	full, drained := pairAt(t, n, "unix", filepath.Join(t.TempDir(), "s"))
	none := func(testing.TB) {}
	l := listen(t, n, "tcp", "127.0.0.1:0")
	return []wait{
		{"Read", func() error { _, err := a.Read(make([]byte, 1)); return err },
			a.SetReadDeadline, a.Close, none, func(t testing.TB) {
				_, err := b.Write([]byte("x"))
				require.NoError(t, err)
			}},
		{"Write", func() error { _, err := full.Write(make([]byte, 1)); return err },
			full.SetWriteDeadline, full.Close,
			func(t testing.TB) { fill(t, full) },
			func(t testing.TB) { drain(t, drained) }},
		{"Accept", func() error {
			c, err := l.Accept()
			if err == nil {
				c.Close()
			}
			return err
		}, l.SetDeadline, l.Close, none, func(t testing.TB) {
			c, err := net.Dial("tcp", l.Addr().String())
			require.NoError(t, err)
			c.Close()
		}},
	}
}

// fill writes until a Write waits.
func fill(t testing.TB, c *sched.Conn) { untilItWaits(t, c.Net(), c.Write) }

// drain reads until a Read waits.
func drain(t testing.TB, c *sched.Conn) { untilItWaits(t, c.Net(), c.Read) }

func untilItWaits(t testing.TB, n *sched.Net, call func([]byte) (int, error)) {
	p := make([]byte, 64<<10)
	for waits := false; !waits; {
		task := spawn(t, func(*ctx.Task) {
			if _, err := call(p); err != nil {
				t.Error(err)
			}
		})
		if !task.Done() {
			settle(t, n) // it may wait for what the system has reported already
		}
		if waits = !task.Done(); waits {
			_ = task.Cancel(nil)
			_ = task.Wait()
		}
	}
}

// settle returns when Run has served what the system had to report at the call.
func settle(t testing.TB, n *sched.Net) {
	for range 3 { // until it has finished its round; has asked the system; has served that
		done := make(chan struct{})
		require.NoError(t, n.Do(func() { close(done) }))
		<-done
	}
}

// onEachWait runs test for every wait and every kind of caller.
func onEachWait(t *testing.T, test func(t *testing.T, w wait, start func(testing.TB, func() error) chan error)) {
	for i, name := range []string{"Read", "Write", "Accept"} {
		t.Run(name, func(t *testing.T) {
			onEachCaller(t, func(t *testing.T, start func(testing.TB, func() error) chan error) {
				w := waits(t, runNet(t))[i]
				require.Equal(t, name, w.name)
				w.prepare(t)
				test(t, w, start)
			})
		})
	}
}

// still fails if the call has returned.
func still(t testing.TB, done chan error) {
	t.Helper()
	select {
	case err := <-done:
		t.Fatalf("has not waited: %v", err)
	default:
	}
}

func TestDeadlineEndsAWait(t *testing.T) {
	onEachWait(t, func(t *testing.T, w wait, start func(testing.TB, func() error) chan error) {
		require.NoError(t, w.deadline(time.Now().Add(5*time.Millisecond)))
		err := <-start(t, w.call)
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		var ne net.Error
		require.ErrorAs(t, err, &ne)
		require.True(t, ne.Timeout())
		require.ErrorIs(t, <-start(t, w.call), os.ErrDeadlineExceeded, "and all that come later")
		require.NoError(t, w.deadline(time.Time{}))
		done := start(t, w.call)
		w.serve(t)
		require.NoError(t, <-done, "until it is taken back")
	})
}

func TestDeadlineInThePastEndsAWaitThatIsUnderWay(t *testing.T) {
	onEachWait(t, func(t *testing.T, w wait, start func(testing.TB, func() error) chan error) {
		done := start(t, w.call)
		still(t, done)
		require.NoError(t, w.deadline(time.Now()))
		require.ErrorIs(t, <-done, os.ErrDeadlineExceeded)
		require.NoError(t, w.deadline(time.Now().Add(time.Hour)))
		done = start(t, w.call)
		w.serve(t)
		require.NoError(t, <-done)
	})
}

func TestADeadlineCanBeMovedBothWays(t *testing.T) {
	onEachWait(t, func(t *testing.T, w wait, start func(testing.TB, func() error) chan error) {
		require.NoError(t, w.deadline(time.Now().Add(10*time.Millisecond)))
		require.NoError(t, w.deadline(time.Now().Add(time.Hour)), "put off")
		done := start(t, w.call)
		time.Sleep(20 * time.Millisecond)
		still(t, done)
		require.NoError(t, w.deadline(time.Now().Add(time.Millisecond)), "brought forward")
		require.ErrorIs(t, <-done, os.ErrDeadlineExceeded)
	})
}

func TestReadAndWriteHaveDeadlinesOfTheirOwn(t *testing.T) {
	n := runNet(t)
	a, b := pair(t, n)
	require.NoError(t, a.SetReadDeadline(time.Unix(1, 0)))
	_, err := a.Write([]byte("x"))
	require.NoError(t, err)
	require.NoError(t, b.SetWriteDeadline(time.Unix(1, 0)))
	_, err = b.Read(make([]byte, 1))
	require.NoError(t, err)
	require.NoError(t, b.SetDeadline(time.Unix(1, 0)))
	_, err = b.Read(make([]byte, 1))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	_, err = b.Write(make([]byte, 1))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	require.NoError(t, b.SetDeadline(time.Now().Add(1<<63-1)), "the farthest time")
	_, err = b.Write(make([]byte, 1))
	require.NoError(t, err)
}

func TestManyDeadlinesFireInAnyOrder(t *testing.T) {
	n := runNet(t)
	conns := scale(200)
	var done sync.WaitGroup
	for range conns {
		a, _ := pair(t, n)
		require.NoError(t, a.SetReadDeadline(time.Now().Add(rand.N(20*time.Millisecond))))
		done.Add(1)
		spawn(t, func(*ctx.Task) {
			defer done.Done()
			if _, err := a.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error(err)
			}
		})
	}
	done.Wait()
}

func TestCloseEndsAllWaits(t *testing.T) {
	onEachWait(t, func(t *testing.T, w wait, start func(testing.TB, func() error) chan error) {
		first, second := start(t, w.call), start(t, w.call)
		still(t, first)
		require.NoError(t, w.close())
		require.ErrorIs(t, <-first, net.ErrClosed)
		require.ErrorIs(t, <-second, net.ErrClosed)
		require.ErrorIs(t, <-start(t, w.call), net.ErrClosed)
		require.ErrorIs(t, w.close(), net.ErrClosed)
		require.ErrorIs(t, w.deadline(time.Time{}), net.ErrClosed)
	})
}

// The line of waiters is as if the cancelled one had never come, wherever in it
// that was.
func TestCancelWhileWaiting(t *testing.T) {
	onEachWait(t, func(t *testing.T, w wait, start func(testing.TB, func() error) chan error) {
		for _, cancelled := range [][]int{{0}, {1}, {2}, {0, 1}, {2, 1}, {0, 2}, {0, 1, 2}} {
			w.prepare(t)
			var tasks [3]*ctx.Task
			var outcomes [3]chan error
			for i := range tasks {
				outcomes[i] = make(chan error, 1)
				tasks[i] = spawn(t, func(*ctx.Task) {
					unwound := true
					defer func() {
						if unwound {
							close(outcomes[i])
						}
					}()
					outcomes[i] <- w.call()
					unwound = false
				})
			}
			for _, i := range cancelled {
				require.NoError(t, tasks[i].Cancel(errWhy))
				require.ErrorIs(t, tasks[i].Err(), errWhy)
				_, open := <-outcomes[i]
				require.False(t, open, "the call has returned")
			}
			last := start(t, w.call)
			for i := range tasks {
				if tasks[i].Err() == nil {
					w.serve(t)
					require.NoError(t, <-outcomes[i])
				}
			}
			w.serve(t)
			require.NoError(t, <-last)
		}
	})
}

// A task that is cancelled after it was given the descriptor, and before it
// went on, passes it on. Run has no part in it before all is set up.
func TestCancelOfAWaiterThatWasServedPassesItOn(t *testing.T) {
	n := openNet(t)
	l := listen(t, n, "tcp", "127.0.0.1:0")
	peer, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer peer.Close()
	var c net.Conn
	var got [3]byte
	var tasks [3]*ctx.Task
	read := func(i int) *ctx.Task {
		return spawn(t, func(*ctx.Task) {
			if _, err := c.Read(got[i : i+1]); err != nil {
				t.Error(err)
			}
		})
	}
	spawn(t, func(task *ctx.Task) {
		defer n.Close()
		if c, err = l.Accept(); err != nil {
			t.Error(err)
			return
		}
		for i := range tasks {
			tasks[i] = read(i)
		}
		// The first reader ends by itself, on the way out it serves the second;
		// that is cancelled before its turn.
		if _, err := peer.Write([]byte("ab")); err != nil {
			t.Error(err)
		}
		_ = n.Do(func() {})
		if err := tasks[0].Wait(); err != nil {
			t.Error(err)
		}
		if err := tasks[1].Cancel(errWhy); err != nil {
			t.Error(err)
		}
		if err := tasks[2].Wait(); err != nil {
			t.Error(err)
		}
	})
	require.NoError(t, n.Run())
	require.Equal(t, "a\x00b", string(got[:]))
	require.ErrorIs(t, tasks[1].Err(), errWhy)
}

// While it unwinds, a task cannot wait any more.
func TestAWaitInADeferredCallOfACancel(t *testing.T) {
	n := runNet(t)
	for i, name := range []string{"Read", "Write", "Accept"} {
		t.Run(name, func(t *testing.T) {
			w := waits(t, n)[i]
			w.prepare(t)
			var err error
			task := spawn(t, func(*ctx.Task) {
				defer func() { err = w.call() }()
				_ = w.call()
			})
			require.NoError(t, task.Cancel(nil))
			require.ErrorIs(t, err, cancel.ErrUnwinding)
			done := callers[0].start(t, w.call)
			w.serve(t)
			require.NoError(t, <-done)
		})
	}
}

func TestCancelOfADial(t *testing.T) {
	n := runNet(t)
	l := listen(t, n, "tcp", "127.0.0.1:0")
	for range 10 {
		task := spawn(t, func(*ctx.Task) {
			c, err := n.Dial("tcp", "localhost"+l.Addr().String()[len("127.0.0.1"):])
			if err == nil {
				c.Close()
			}
		})
		if err := task.Cancel(errWhy); err != nil {
			require.ErrorIs(t, err, cancel.ErrCancelPending)
			_ = task.Wait()
		}
	}
	c, err := n.Dial("tcp", "localhost"+l.Addr().String()[len("127.0.0.1"):])
	require.NoError(t, err)
	require.NoError(t, c.Close())
}

func TestDialDeadline(t *testing.T) {
	n := runNet(t)
	l := listen(t, n, "tcp", "127.0.0.1:0")
	_, err := n.DialDeadline("tcp", l.Addr().String(), time.Unix(1, 0))
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	c, err := n.DialDeadline("tcp", l.Addr().String(), time.Now().Add(time.Minute))
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.SetReadDeadline(time.Unix(1, 0)))
	_, err = c.Write([]byte("no deadline is left of connecting"))
	require.NoError(t, err)
}

func TestErrorsOfSockets(t *testing.T) {
	n := runNet(t)
	a, b := pair(t, n)
	taken := listen(t, n, "tcp", "127.0.0.1:0")
	gone := listen(t, n, "tcp", "127.0.0.1:0")
	require.NoError(t, gone.Close())
	require.NoError(t, a.Close())
	lost, _ := pair(t, n)
	require.NoError(t, lost.CloseWrite())
	closed := openNet(t)
	require.NoError(t, closed.Close())
	dial := func(network, address string) func() error {
		return func() error { _, err := n.Dial(network, address); return err }
	}
	hear := func(n *sched.Net, network, address string) func() error {
		return func() error { _, err := n.Listen(network, address); return err }
	}
	for _, c := range []struct {
		name string
		call func() error
		is   error
		as   any
	}{
		{"Dial of a port where nobody is", dial("tcp", gone.Addr().String()), syscall.ECONNREFUSED, new(*os.SyscallError)},
		{"Dial of a file that is not there", dial("unix", "/nowhere/at/all"), syscall.ENOENT, new(*os.SyscallError)},
		{"Dial of an unknown network", dial("udp", "127.0.0.1:1"), nil, new(net.UnknownNetworkError)},
		{"Dial without a port", dial("tcp", "127.0.0.1"), nil, new(*net.AddrError)},
		{"Dial of too high a port", dial("tcp", "127.0.0.1:65536"), nil, new(*net.AddrError)},
		{"Dial of an address of the other family", dial("tcp4", "[::1]:1"), nil, new(*net.AddrError)},
		{"the same for IPv6", dial("tcp6", "127.0.0.1:1"), nil, new(*net.AddrError)},
		{"Dial without a path", dial("unix", ""), nil, new(*net.OpError)},
		{"Dial of a name that is none", dial("tcp", "no such host.invalid:80"), nil, new(*net.DNSError)},
		{"Dial on a closed Net", func() error { _, err := closed.Dial("tcp", taken.Addr().String()); return err },
			net.ErrClosed, nil},
		{"Listen on an address in use", hear(n, "tcp", taken.Addr().String()), syscall.EADDRINUSE, new(*os.SyscallError)},
		{"Listen on what is no directory", hear(n, "unix", "/nowhere/at/all"), syscall.ENOENT, new(*os.SyscallError)},
		{"Listen on an unknown network", hear(n, "ip", "127.0.0.1:0"), nil, new(net.UnknownNetworkError)},
		{"Listen on a closed Net", hear(closed, "tcp", "127.0.0.1:0"), sched.ErrNetClosed, nil},
		{"Accept for a closed Net", func() error {
			l := listen(t, n, "tcp", "127.0.0.1:0")
			d, err := net.Dial("tcp", l.Addr().String())
			require.NoError(t, err)
			defer d.Close()
			_, err = l.AcceptOn(closed)
			return err
		}, sched.ErrNetClosed, nil},
		{"Read after Close", func() error { _, err := a.Read(make([]byte, 1)); return err }, net.ErrClosed, nil},
		{"Write after Close", func() error { _, err := a.Write(make([]byte, 1)); return err }, net.ErrClosed, nil},
		{"CloseWrite after Close", a.CloseWrite, net.ErrClosed, nil},
		{"CloseRead after Close", a.CloseRead, net.ErrClosed, nil},
		{"SetNoDelay after Close", func() error { return a.SetNoDelay(true) }, net.ErrClosed, nil},
		{"Write after CloseWrite", func() error { _, err := lost.Write(make([]byte, 1)); return err },
			syscall.EPIPE, new(*os.SyscallError)},
		{"Write to one who has gone", func() error {
			for { // the first ones still find room
				if _, err := b.Write(make([]byte, 1)); err != nil {
					return err
				}
			}
		}, syscall.EPIPE, new(*os.SyscallError)},
	} {
		t.Run(c.name, func(t *testing.T) {
			onEachCaller(t, func(t *testing.T, start func(testing.TB, func() error) chan error) {
				err := <-start(t, c.call)
				var oe *net.OpError
				require.ErrorAs(t, err, &oe)
				if c.is != nil && !(c.is == syscall.EPIPE && errors.Is(err, syscall.ECONNRESET)) {
					require.ErrorIs(t, err, c.is)
				}
				if c.as != nil {
					require.ErrorAs(t, err, c.as)
				}
			})
		})
	}
}

func TestErrorsOfANet(t *testing.T) {
	n := openNet(t)
	require.ErrorIs(t, n.Do(nil), sched.ErrNilFunc)
	require.ErrorIs(t, n.Post(resume.Handle{}), resume.ErrStale)
	require.ErrorIs(t, n.Sleep(nil, 1), resume.ErrNotOnTask)
	require.NoError(t, n.Do(func() {
		require.ErrorIs(t, n.Run(), sched.ErrNetRunning)
		require.NoError(t, n.Close())
		require.ErrorIs(t, n.Close(), sched.ErrNetClosed)
	}))
	require.NoError(t, n.Run())
	require.ErrorIs(t, n.Run(), sched.ErrNetClosed)
	require.ErrorIs(t, n.Do(func() {}), sched.ErrNetClosed)
	require.ErrorIs(t, n.Close(), net.ErrClosed)
	var l leaf
	task := spawn(t, func(*ctx.Task) { l.wait(t) })
	require.ErrorIs(t, n.Post(l.h), sched.ErrNetClosed)
	require.NoError(t, l.h.Resume())
	require.NoError(t, task.Err())
	require.ErrorIs(t, onTask(t, func(task *ctx.Task) error { return n.Sleep(task, time.Hour) }), sched.ErrNetClosed)
}

// Whatever ends a wait, and on whatever goroutine: the task goes on in Run.
func TestOnlyRunContinuesTasks(t *testing.T) {
	for _, end := range []struct {
		name string
		end  func(*sched.Conn) error
	}{
		{"Close", (*sched.Conn).Close},
		{"deadline", func(c *sched.Conn) error { return c.SetDeadline(time.Now()) }},
	} {
		t.Run(end.name, func(t *testing.T) {
			n := openNet(t)
			l := listen(t, n, "tcp", "127.0.0.1:0")
			peer, err := net.Dial("tcp", l.Addr().String())
			require.NoError(t, err)
			defer peer.Close()
			c, err := l.AcceptOn(n)
			require.NoError(t, err)
			went := false
			task := spawn(t, func(*ctx.Task) {
				_, _ = c.Read(make([]byte, 1))
				went = true
				n.Close()
			})
			require.NoError(t, end.end(c))
			require.False(t, went)
			require.NoError(t, n.Run())
			require.True(t, went)
			require.True(t, task.Done())
		})
	}
}

func TestCloseOfANetEndsAllWaits(t *testing.T) {
	n := openNet(t)
	ran := run(t, n)
	var done []chan error
	for _, w := range waits(t, n) {
		w.prepare(t)
		for _, c := range callers {
			done = append(done, c.start(t, w.call))
		}
	}
	slept := make(chan error, 1)
	spawn(t, func(task *ctx.Task) { slept <- n.Sleep(task, time.Hour) })
	require.NoError(t, n.Close())
	for _, d := range done {
		require.ErrorIs(t, <-d, net.ErrClosed)
	}
	require.ErrorIs(t, <-slept, sched.ErrNetClosed)
	require.NoError(t, <-ran)
}

func TestCloseOfANetThatNobodyRuns(t *testing.T) {
	n := openNet(t)
	l := listen(t, n, "tcp", "127.0.0.1:0")
	var accepted, slept error
	waiting := spawn(t, func(*ctx.Task) { _, accepted = l.Accept() })
	sleeping := spawn(t, func(task *ctx.Task) { slept = n.Sleep(task, time.Hour) })
	require.NoError(t, n.Close())
	require.True(t, waiting.Done())
	require.True(t, sleeping.Done())
	require.ErrorIs(t, accepted, net.ErrClosed)
	require.ErrorIs(t, slept, sched.ErrNetClosed)
}

func TestSleepersWakeInOrderOfTime(t *testing.T) {
	n := openNet(t)
	var order []int
	for i, d := range []time.Duration{30, 10, 20, 0, -5} {
		spawn(t, func(task *ctx.Task) {
			if err := n.Sleep(task, d*time.Millisecond); err != nil {
				t.Error(err)
			}
			if order = append(order, i); len(order) == 5 {
				n.Close()
			}
		})
	}
	cancelled := spawn(t, func(task *ctx.Task) { _ = n.Sleep(task, time.Millisecond) })
	require.NoError(t, cancelled.Cancel(errWhy))
	require.NoError(t, n.Run())
	require.Equal(t, []int{3, 4, 1, 2, 0}, order)
}

// A Net is the home of a task: it goes on there, wherever it has waited.
func TestANetAsScheduler(t *testing.T) {
	n := openNet(t)
	var l leaf
	var steps []string
	step := func(s string) { steps = append(steps, s) }
	spawn(t, func(task *ctx.Task) {
		step("before")
		if err := sched.On(n, task); err != nil {
			t.Error(err)
		}
		step("on the Net")
		l.wait(t)
		step("home again")
		if err := n.Sleep(task, 1); err != nil {
			t.Error(err)
		}
		n.Close()
	})
	require.Equal(t, []string{"before"}, steps)
	require.NoError(t, n.Do(func() {
		require.Equal(t, []string{"before", "on the Net"}, steps)
		require.NoError(t, l.h.Resume())
		require.Equal(t, []string{"before", "on the Net"}, steps)
	}))
	require.NoError(t, n.Run())
	require.Equal(t, []string{"before", "on the Net", "home again"}, steps)
}

// A task of another scheduler waits on a Net, and goes home afterwards.
func TestATaskOfALoopWaitsOnANet(t *testing.T) {
	n := runNet(t)
	a, b := pair(t, n)
	loop := sched.NewLoop()
	rounds := 0 // the Loop's own
	for range 2 {
		require.NoError(t, loop.Go(func(*ctx.Task) {
			p := make([]byte, 1)
			for range 100 {
				if _, err := b.Read(p); err != nil {
					t.Error(err)
				}
				rounds++
				if _, err := b.Write(p); err != nil {
					t.Error(err)
				}
			}
		}))
	}
	said := spawn(t, func(*ctx.Task) {
		for range 200 {
			if err := say(a, "x"); err != nil {
				t.Error(err)
			}
		}
	})
	require.NoError(t, loop.Drain())
	require.NoError(t, said.Wait())
	require.Equal(t, 200, rounds)
}

func TestAPanicOutOfRunLosesNothing(t *testing.T) {
	n := openNet(t)
	called := 0
	require.NoError(t, n.Do(func() { panic(errWhy) }))
	require.NoError(t, n.Do(func() { called++ }))
	require.PanicsWithValue(t, errWhy, func() { _ = n.Run() })
	require.NoError(t, n.Do(func() { n.Close() }))
	require.NoError(t, n.Run())
	require.Equal(t, 1, called)
}

// Of a task that the goroutine in Run cannot resume, here one of a
// testing/synctest bubble, Run tells; the next Run, in the bubble, continues it.
func TestRunTellsOfATaskThatItCannotResume(t *testing.T) {
	refusesBubble(t)
	serveOutsider(t)
	n := openNet(t)
	synctest.Test(t, func(t *testing.T) {
		var err error
		task := spawn(t, func(task *ctx.Task) { err = sched.On(n, task) })
		called := false
		require.NoError(t, n.Do(func() { called = true }))
		outside(func() { require.ErrorIs(t, n.Run(), stackhop.ErrBubble) })
		require.False(t, called, "it is behind the task")
		require.NoError(t, n.Do(func() { n.Close() }))
		require.NoError(t, n.Run())
		require.True(t, task.Done())
		require.NoError(t, err)
		require.True(t, called)
	})
}

// A locked body cannot be suspended. It is told so, and nothing is lost.
func TestATaskLockedToItsThreadIsToldSo(t *testing.T) {
	if stackhop.Backend().Name == "portable" {
		t.Skip("portable backend: every body has a thread to itself")
	}
	n := runNet(t)
	for _, w := range waits(t, n) {
		t.Run(w.name, func(t *testing.T) {
			w.prepare(t)
			require.ErrorIs(t, onTask(t, func(*ctx.Task) error {
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
				return w.call()
			}), resume.ErrThreadLocked)
			w.serve(t)
			require.NoError(t, <-callers[1].start(t, w.call))
		})
	}
}

func TestNoAllocationInReadWriteAndDeadlines(t *testing.T) {
	if testsupport.Race || stackhop.Backend().Name == "portable" {
		t.Skip("race and portable builds allocate in every switch")
	}
	n := openNet(t)
	l := listen(t, n, "tcp", "127.0.0.1:0")
	rounds := scale(10_000)
	spawn(t, func(*ctx.Task) {
		c, err := l.Accept()
		if err != nil {
			t.Error(err)
			return
		}
		for p := make([]byte, 16); err == nil; {
			if _, err = c.Read(p); err == nil {
				_, err = c.Write(p)
			}
		}
	})
	var before, after runtime.MemStats
	spawn(t, func(task *ctx.Task) {
		defer n.Close()
		c, err := n.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Error(err)
			return
		}
		p := make([]byte, 16)
		round := func() {
			_ = c.SetReadDeadline(time.Now().Add(time.Minute))
			_, _ = c.Write(p)
			if _, err := io.ReadFull(c, p); err != nil {
				t.Error(err)
			}
		}
		for range 100 {
			round()
		}
		runtime.ReadMemStats(&before)
		for range rounds {
			round()
		}
		for range 100 {
			_ = n.Sleep(task, time.Nanosecond)
		}
		runtime.ReadMemStats(&after)
	})
	require.NoError(t, n.Run())
	require.Less(t, after.Mallocs-before.Mallocs, uint64(50), "in %d rounds", rounds)
}

// Reads, writes, deadlines, closes and cancels from many threads at once: all
// that is asserted is that everything ends, and that nobody hears what was
// never said.
func TestHammer(t *testing.T) {
	n := runNet(t)
	l := listen(t, n, "tcp", "127.0.0.1:0")
	seed := uint64(time.Now().UnixNano())
	t.Log("seed ", seed)
	var all sync.WaitGroup
	var served atomic.Int32
	for g := range 4 {
		all.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(g)))
			for range scale(300) {
				hammer(t, n, l, r)
				served.Add(1)
			}
		})
	}
	all.Wait()
	require.EqualValues(t, 4*scale(300), served.Load())
}

// hammer uses one connection up.
func hammer(t *testing.T, n *sched.Net, l *sched.Listener, r *rand.Rand) {
	peer, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Error(err)
		return
	}
	defer peer.Close()
	c, err := l.AcceptOn(n)
	if err != nil {
		t.Error(err)
		return
	}
	var tasks []*ctx.Task
	for i := range 4 {
		tasks = append(tasks, spawn(t, func(*ctx.Task) {
			p := make([]byte, 1<<10)
			for err := error(nil); err == nil || errors.Is(err, os.ErrDeadlineExceeded); {
				if i%2 == 0 {
					var k int
					k, err = c.Read(p)
					for _, b := range p[:k] {
						if b != 'x' {
							t.Error("heard what was never said")
						}
					}
				} else {
					_, err = c.Write(p)
				}
				if errors.Is(err, os.ErrDeadlineExceeded) {
					_ = c.SetDeadline(time.Time{})
				}
			}
		}))
	}
	discarded := make(chan struct{})
	go func() {
		defer close(discarded)
		_, _ = io.Copy(io.Discard, peer)
	}()
	for range r.IntN(20) {
		switch r.IntN(4) {
		case 0:
			_ = c.SetDeadline(time.Now().Add(time.Duration(r.IntN(200)) * time.Microsecond))
		case 1:
			_, _ = peer.Write([]byte("xxxxxxxx"))
		case 2:
			_ = tasks[r.IntN(4)].Cancel(nil)
		case 3:
			runtime.Gosched()
		}
	}
	if r.IntN(2) == 0 {
		peer.Close()
		<-discarded
	}
	_ = c.Close()
	for _, task := range tasks {
		_ = task.Wait()
	}
	<-discarded
}
