package sched_test

import (
	"fmt"
	"log"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/internal/testsupport"
	leaves "github.com/stackhop/stackhop/leaf"
	"github.com/stackhop/stackhop/resume"
	"github.com/stackhop/stackhop/sched"
)

// A driver is a Loop, a Net or a Pool of one worker that another goroutine runs.
type driver interface {
	sched.Scheduler
	resume.Publisher
	Do(f func()) error
	OnStall(after time.Duration, f func(sched.Stall))
	HandOver(after time.Duration)
}

// onEachDriver runs test on every kind of scheduler. start has a task begin there.
func onEachDriver(t *testing.T, test func(t *testing.T, d driver, start func(name string, body func(*ctx.Task)))) {
	start := func(d driver) func(string, func(*ctx.Task)) {
		return func(name string, body func(*ctx.Task)) {
			if g, ok := d.(interface {
				Go(func(*ctx.Task), ...ctx.Option) error
			}); ok {
				require.NoError(t, g.Go(body, ctx.WithName(name)))
				return
			}
			spawn(t, func(task *ctx.Task) {
				task.SuspendTo(d)
				body(task)
			}, ctx.WithName(name), ctx.WithHome(d))
		}
	}
	t.Run("loop", func(t *testing.T) {
		l := sched.NewLoop()
		ran := make(chan error, 1)
		go func() { ran <- l.Run() }()
		test(t, l, start(l))
		l.Stop()
		require.NoError(t, <-ran)
	})
	t.Run("net", func(t *testing.T) {
		n := runNet(t)
		test(t, n, start(n))
	})
	t.Run("pool", func(t *testing.T) {
		p := newPool(t, 1)
		test(t, p, start(p))
		require.NoError(t, p.Wait())
	})
}

// stalls has d report stalls to a channel.
func stalls(d driver) chan sched.Stall {
	c := make(chan sched.Stall, 100)
	d.OnStall(stallAfter, func(s sched.Stall) { c <- s })
	return c
}

// hangs has n report only what lasts for long, also on a machine that is busy.
func hangs(n *sched.Net) chan sched.Stall {
	c := make(chan sched.Stall, 100)
	n.OnStall(sched.StallAfter, func(s sched.Stall) { c <- s })
	return c
}

const stallAfter = 20 * time.Millisecond

func TestATaskThatBlocksItsSchedulerIsReported(t *testing.T) {
	onEachDriver(t, func(t *testing.T, d driver, start func(string, func(*ctx.Task))) {
		reported := stalls(d)
		for _, parks := range []bool{false, true} { // in the first part of a task, and in a later one
			c, begun, done := make(chan int), make(chan int), make(chan int)
			start("blocker", func(task *ctx.Task) {
				if parks {
					task.SuspendTo(d)
				}
				close(begun)
				<-c
			})
			<-begun
			start("waiting", func(*ctx.Task) { close(done) })
			s := <-reported
			require.Equal(t, sched.Scheduler(d), s.Scheduler)
			require.GreaterOrEqual(t, s.For, stallAfter)
			require.Len(t, s.Tasks, 1)
			require.Equal(t, "blocker", s.Tasks[0].Name)
			require.Equal(t, "chan receive", s.Tasks[0].WaitsOn)
			require.Contains(t, s.Tasks[0].Stack[0].Func, "TestATaskThatBlocksItsSchedulerIsReported")
			require.NotEmpty(t, s.Stack)
			require.Contains(t, s.String(), `"blocker" waits for chan receive`)
			require.Contains(t, s.String(), "stall_test.go:")
			close(c)
			<-done
			require.Empty(t, reported, "once for each stall")
		}
	})
}

// The task that holds the scheduler up was not resumed by the scheduler, but by a task
// that the scheduler has resumed.
func TestTheTaskThatBlocksIsReportedWhoeverHasResumedIt(t *testing.T) {
	onEachDriver(t, func(t *testing.T, d driver, start func(string, func(*ctx.Task))) {
		reported := stalls(d)
		var m leaves.Mutex
		require.NoError(t, m.Lock())
		c, begun, done := make(chan int), make(chan int), make(chan int)
		spawn(t, func(*ctx.Task) { // without a home
			if err := m.Lock(); err != nil {
				t.Error(err)
			}
			close(begun)
			<-c
			m.Unlock()
		}, ctx.WithName("blocker"))
		start("unlocker", func(*ctx.Task) { m.Unlock() })
		<-begun
		require.NoError(t, d.Do(func() { close(done) }))
		s := <-reported
		names := map[string]ctx.TaskInfo{}
		for _, task := range s.Tasks {
			names[task.Name] = task
		}
		require.Equal(t, ctx.StateWaiting, names["unlocker"].State)
		require.Equal(t, "chan receive", names["blocker"].WaitsOn)
		close(c)
		<-done
	})
}

func TestAFunctionOfDoThatBlocksIsReported(t *testing.T) {
	onEachDriver(t, func(t *testing.T, d driver, _ func(string, func(*ctx.Task))) {
		reported := stalls(d)
		c, done := make(chan int), make(chan int)
		require.NoError(t, d.Do(func() { blockOn(c) }))
		require.NoError(t, d.Do(func() { close(done) }))
		s := <-reported
		require.Empty(t, s.Tasks)
		require.Contains(t, s.Stack, "blockOn")
		require.Contains(t, s.String(), "a function of Do holds it up")
		close(c)
		<-done
	})
}

//go:noinline
func blockOn(c chan int) { <-c }

// What holds up nobody is not reported.
func TestAStallThatNobodyWaitsForIsNone(t *testing.T) {
	onEachDriver(t, func(t *testing.T, d driver, start func(string, func(*ctx.Task))) {
		reported := stalls(d)
		done := make(chan int)
		start("alone", func(*ctx.Task) {
			time.Sleep(5 * stallAfter)
			close(done)
		})
		<-done
		require.Empty(t, reported)
		d.OnStall(0, nil)
		c := make(chan int)
		start("blocker", func(*ctx.Task) { <-c })
		require.NoError(t, d.Do(func() {}))
		time.Sleep(5 * stallAfter)
		require.Empty(t, reported, "nobody wants to know")
		close(c)
	})
}

func TestATimerThatIsDueWaits(t *testing.T) {
	for _, sleeper := range []struct {
		name  string
		sleep func(d driver, task *ctx.Task, dur time.Duration) error
		new   func(t *testing.T) driver
	}{
		{"loop", func(d driver, task *ctx.Task, dur time.Duration) error { return d.(*sched.Loop).Sleep(task, dur) },
			func(t *testing.T) driver {
				l := sched.NewLoop()
				go l.Run()
				t.Cleanup(l.Stop)
				return l
			}},
		{"net", func(d driver, task *ctx.Task, dur time.Duration) error { return d.(*sched.Net).Sleep(task, dur) },
			func(t *testing.T) driver { return runNet(t) }},
	} {
		t.Run(sleeper.name, func(t *testing.T) {
			d := sleeper.new(t)
			reported := stalls(d)
			c, done := make(chan int), make(chan int)
			require.NoError(t, d.Do(func() {
				spawn(t, func(task *ctx.Task) {
					if err := sleeper.sleep(d, task, time.Millisecond); err != nil {
						t.Error(err)
					}
					close(done)
				}, ctx.WithHome(d))
				<-c
			}))
			<-reported
			close(c)
			<-done
		})
	}
}

// A Pool goes on as long as one worker does.
func TestAPoolStandsStillWhenAllWorkersDo(t *testing.T) {
	p := newPool(t, 3)
	reported := stalls(p)
	c, second := make(chan int), make(chan int)
	block := func(name string) {
		begun := make(chan int)
		require.NoError(t, p.Go(func(*ctx.Task) { close(begun); <-c }, ctx.WithName(name)))
		<-begun
	}
	block("first")
	block("second")
	require.NoError(t, p.Do(func() { close(second) }))
	<-second
	time.Sleep(5 * stallAfter)
	require.Empty(t, reported)
	block("third")
	require.NoError(t, p.Do(func() {}))
	s := <-reported
	var names []string
	for _, task := range s.Tasks {
		names = append(names, task.Name)
	}
	require.ElementsMatch(t, []string{"first", "second", "third"}, names)
	close(c)
}

// Without a word from the user: a task sleeps within a sync.Once, and another one of
// the same Loop waits for that.
var _ = testsupport.Child("stall", func() {
	log.SetOutput(logged{})
	l := sched.NewLoop()
	var once sync.Once
	for _, name := range []string{"sleeper", "blocker"} {
		if err := l.Go(func(task *ctx.Task) {
			once.Do(func() { _ = l.Sleep(task, time.Millisecond) })
		}, ctx.WithName(name)); err != nil {
			panic(err)
		}
	}
	fmt.Println(l.Drain())
})

// logged prints what is logged, and ends the process.
type logged struct{}

func (logged) Write(p []byte) (int, error) {
	fmt.Print(string(p), "\nok\n")
	os.Exit(0)
	return 0, nil
}

func TestAStallIsLoggedUnlessOnStallSaysOtherwise(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for sched.StallAfter")
	}
	r := testsupport.RunChild(t, "stall", time.Minute)
	r.RequireOK(t)
	require.Regexp(t, `sched: Loop 0x[0-9a-f]+ has stood still for [5-9][0-9.]*s: task \d+ "blocker" waits for sync.Mutex.Lock`, r.Stdout)
	require.Contains(t, r.Stdout, "sync.(*Once).")
}

// In a bubble nothing of the lookout's keeps the time going.
var _ = testsupport.Child("stalled bubble", func() {
	testing.Main(func(string, string) (bool, error) { return true, nil }, []testing.InternalTest{{Name: "bubble", F: func(t *testing.T) {
		synctest.Test(t, func(*testing.T) { _ = sched.NewLoop().Run() })
	}}}, nil, nil)
})

func TestALoopInABubbleLetsTheRuntimeSeeADeadlock(t *testing.T) {
	r := testsupport.RunChild(t, "stalled bubble", time.Minute)
	require.NotZero(t, r.Code)
	require.Contains(t, r.Stdout+r.Stderr, "deadlock")
}

// holdUp has a task of d block its scheduler until another one of d has run.
func holdUp(start func(string, func(*ctx.Task)), then func()) {
	c, begun := make(chan int), make(chan int)
	start("held up", func(*ctx.Task) {
		close(begun)
		<-c
		then()
	})
	select {
	case <-begun: // a Loop may not run yet
	case <-time.After(10 * time.Millisecond):
	}
	start("rescuer", func(*ctx.Task) { close(c) })
}

func TestHandOverLetsOthersGoOn(t *testing.T) {
	onEachDriver(t, func(t *testing.T, d driver, start func(string, func(*ctx.Task))) {
		d.HandOver(time.Millisecond)
		for range 20 {
			done := make(chan int)
			holdUp(start, func() { close(done) })
			<-done
		}
	})
}

// No two turns are at the same time but for those that were held up.
func TestHandOverKeepsOthersOneAtATime(t *testing.T) {
	onEachDriver(t, func(t *testing.T, d driver, start func(string, func(*ctx.Task))) {
		d.HandOver(time.Hour) // not by the clock: a machine that is busy may keep anything waiting
		begun := make(chan int)
		require.NoError(t, d.Do(func() { close(begun) }))
		<-begun
		blocks := make(chan int)
		defer close(blocks)
		go func() {
			for range blocks {
				sched.TakeOver(d)
			}
		}()
		var inside, ended atomic.Int32
		part := func() {
			if inside.Add(1) != 1 {
				t.Error("two at the same time")
			}
			for range 100 {
				if inside.Load() != 1 {
					t.Error("two at the same time")
				}
			}
			inside.Add(-1)
		}
		unlocked := 0 // guarded by nothing but the scheduler
		const blockers, others = 5, 20
		for range blockers {
			c := make(chan int)
			start("held up", func(task *ctx.Task) {
				for range scale(40) {
					task.SuspendTo(d)
					part()
					unlocked++
					task.SuspendTo(d)
					blocks <- 1 // in a turn of its own, which is beside those of others
					<-c
				}
				ended.Add(1)
			})
			start("rescuer", func(task *ctx.Task) {
				for range scale(40) {
					for sent := false; !sent; {
						select {
						case c <- 1:
							sent = true
						default:
							task.SuspendTo(d)
							part()
							unlocked++
						}
					}
				}
				ended.Add(1)
			})
		}
		for range others {
			start("other", func(task *ctx.Task) {
				for ended.Load() < 2*blockers {
					task.SuspendTo(d)
					part()
					unlocked++
				}
				ended.Add(1)
			})
		}
		eventually(t, "all have ended", func() bool { return ended.Load() == 2*blockers+others })
	})
}

func TestHandOverOfASyncOnceThatSleeps(t *testing.T) {
	l := sched.NewLoop()
	l.HandOver(time.Millisecond)
	for range 10 {
		var once sync.Once
		var ended atomic.Int32
		for range 5 {
			require.NoError(t, l.Go(func(task *ctx.Task) {
				once.Do(func() { _ = l.Sleep(task, time.Millisecond) })
				ended.Add(1)
			}))
		}
		require.NoError(t, l.Drain())
		require.EqualValues(t, 5, ended.Load())
	}
}

// Run returns on the goroutine that called it, when what it was held up by is over.
func TestARunThatWasHandedOverEndsWithWhatHeldItUp(t *testing.T) {
	for _, run := range []struct {
		name string
		run  func(l *sched.Loop) error
	}{{"Drain", (*sched.Loop).Drain}, {"RunUntilIdle", (*sched.Loop).RunUntilIdle}, {"Run", (*sched.Loop).Run}} {
		t.Run(run.name, func(t *testing.T) {
			l := sched.NewLoop()
			l.HandOver(time.Millisecond)
			ended := 0
			holdUp(func(name string, body func(*ctx.Task)) { require.NoError(t, l.Go(body, ctx.WithName(name))) }, func() {
				time.Sleep(3 * time.Millisecond) // the substitute has nothing to do meanwhile
				ended++
				if run.name == "Run" {
					l.Stop()
				}
			})
			require.NoError(t, run.run(l))
			require.Equal(t, 1, ended)
			require.Zero(t, l.Stats().Tasks)
		})
	}
}

// A panic is still that of Run, and a Loop that is left by one can be run again.
func TestAPanicOfWhatWasHandedOver(t *testing.T) {
	l := sched.NewLoop()
	l.HandOver(time.Millisecond)
	for range 10 {
		c := make(chan int)
		require.NoError(t, l.Do(func() {
			<-c
			panic("at last")
		}))
		require.NoError(t, l.Do(func() { close(c) }))
		require.PanicsWithValue(t, "at last", func() { _ = l.RunUntilIdle() })
		require.NoError(t, l.RunUntilIdle())
	}
}

// A substitute that a function of Do ends has a successor.
func TestASubstituteThatGoexitEndsIsReplaced(t *testing.T) {
	onEachDriver(t, func(t *testing.T, d driver, start func(string, func(*ctx.Task))) {
		d.HandOver(time.Millisecond)
		c, begun, done := make(chan int), make(chan int), make(chan int)
		start("held up", func(*ctx.Task) {
			close(begun)
			<-c
			close(done)
		})
		<-begun
		require.NoError(t, d.Do(runtime.Goexit))
		start("rescuer", func(*ctx.Task) { close(c) })
		<-done
	})
}

// Close of a Pool waits for what was held up, and runs what that queues.
func TestCloseOfAPoolWaitsForWhatIsHeldUp(t *testing.T) {
	p, err := sched.NewPool(1)
	require.NoError(t, err)
	p.HandOver(time.Millisecond)
	var rescued, after atomic.Bool
	c := make(chan int)
	require.NoError(t, p.Go(func(task *ctx.Task) {
		<-c
		if err := p.Yield(task); err != nil {
			t.Error(err)
		}
		after.Store(true)
	}))
	require.NoError(t, p.Do(func() { rescued.Store(true) }))
	eventually(t, "the other one has run", rescued.Load)
	time.AfterFunc(2*time.Millisecond, func() { close(c) })
	require.NoError(t, p.Close())
	require.True(t, after.Load())
}

func TestStallsOfManySchedulersAreToldApart(t *testing.T) {
	a, b := sched.NewLoop(), sched.NewLoop()
	release := make(chan int)
	var running sync.WaitGroup
	for name, l := range map[string]*sched.Loop{"a": a, "b": b} {
		require.NoError(t, l.Go(func(*ctx.Task) { <-release }, ctx.WithName("blocker of "+name)))
		require.NoError(t, l.Do(func() {}))
		reported := stalls(l)
		running.Go(func() { _ = l.Drain() })
		s := <-reported
		require.Len(t, s.Tasks, 1)
		require.Equal(t, "blocker of "+name, s.Tasks[0].Name)
		require.Equal(t, 1, strings.Count(s.Stack, "runItem("))
	}
	close(release)
	running.Wait()
}

// Close by a task that goes on meanwhile ends the Run that is held up, when what
// holds it up is over; what that still waits for fails, and is continued.
func TestCloseOfANetWaitsForWhatIsHeldUp(t *testing.T) {
	for range 20 {
		n := openNet(t)
		n.HandOver(time.Millisecond)
		ran := run(t, n)
		a, _ := pair(t, n)
		begun, c := make(chan int), make(chan int)
		var after error
		held := spawn(t, func(task *ctx.Task) {
			task.SuspendTo(n)
			close(begun)
			<-c
			_, after = a.Read(make([]byte, 1))
			task.SuspendTo(n)
		}, ctx.WithHome(n))
		<-begun
		closed := make(chan error, 1)
		spawn(t, func(task *ctx.Task) {
			task.SuspendTo(n)
			closed <- n.Close()
		}, ctx.WithHome(n))
		require.NoError(t, <-closed)
		select {
		case err := <-ran:
			t.Fatal("Run has returned: ", err)
		case <-time.After(3 * time.Millisecond):
		}
		close(c)
		require.NoError(t, <-ran)
		require.True(t, held.Done())
		require.ErrorIs(t, after, net.ErrClosed)
	}
}
