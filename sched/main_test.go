package sched_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/internal/testsupport"
	"github.com/stackhop/stackhop/resume"
	"github.com/stackhop/stackhop/sched"
)

func TestMain(m *testing.M) { testsupport.Main(m) }

var errWhy = errors.New("why")

// scale divides counts of rounds for builds and machines that are slow.
func scale(n int) int {
	if testing.Short() || stackhop.Backend().Name == "portable" {
		n /= 16
	}
	return max(testsupport.Scale(n), 1)
}

func spawn(t testing.TB, body func(*ctx.Task), opts ...ctx.Option) *ctx.Task {
	t.Helper()
	task, err := ctx.Spawn(body, opts...)
	require.NoError(t, err)
	return task
}

// newPool makes a Pool that is closed, without failures, after the test.
func newPool(t testing.TB, workers int) *sched.Pool {
	t.Helper()
	p, err := sched.NewPool(workers)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	return p
}

// A leaf keeps the handle of who waits at it.
type leaf struct{ h resume.Handle }

func (l *leaf) Publish(h resume.Handle) { l.h = h }

// wait parks the current task. It is what any leaf does.
func (l *leaf) wait(t testing.TB) {
	if err := ctx.Current().Park(l); err != nil {
		t.Error(err)
	}
}

// eventually waits for what other goroutines are about to do.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); time.Sleep(100 * time.Microsecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 30 s: %s", what)
		}
	}
}

// A scheduler is what Loop and Pool have in common.
type scheduler interface {
	sched.Scheduler
	resume.Publisher
	Go(body func(*ctx.Task), opts ...ctx.Option) error
	Do(f func()) error
	Yield(t *ctx.Task) error
	OnFailure(f func(error))
	Refused() []sched.Refusal
	Stats() sched.Stats
}

// A subject is a scheduler of a test that is for both.
type subject struct {
	scheduler
	workers int                   // 0: a Loop
	settle  func()                // runs what is queued, until all of it waits or has ended
	hold    func() (let func())   // keeps what is queued from running, until let is called
	finish  func() (failed error) // runs until all tasks of Go have ended and nothing is queued
}

func loopSubject(t testing.TB) subject {
	l := sched.NewLoop()
	return subject{
		scheduler: l,
		settle:    func() { require.NoError(t, l.RunUntilIdle()) },
		hold:      func() func() { return func() {} }, // nobody runs it meanwhile
		finish:    l.Drain,
	}
}

func poolSubject(t testing.TB, workers int) subject {
	p := newPool(t, workers)
	return subject{
		scheduler: p,
		workers:   workers,
		settle: func() {
			eventually(t, "all workers are parked", func() bool { return settled(p, workers) })
		},
		hold: func() func() {
			let := make(chan struct{})
			var held sync.WaitGroup
			for range workers {
				held.Add(1)
				require.NoError(t, p.Do(func() { held.Done(); <-let }))
			}
			held.Wait()
			return func() { close(let) }
		},
		finish: func() error {
			if err := p.Wait(); err != nil {
				return err
			}
			return p.Close()
		},
	}
}

// settled reports whether at one moment nothing ran and nothing was queued. If
// something was queued while all were parked, then it is still, or a worker that
// has left its parking for it is not back, or has counted it.
func settled(s scheduler, workers int) bool {
	before, now, after := s.Stats(), s.Stats(), s.Stats()
	return now.Parked == workers && now.Queued == 0 && after.Parked == workers && after.Ran == before.Ran
}

// onEach runs test on every kind of scheduler.
func onEach(t *testing.T, test func(t *testing.T, s subject)) {
	t.Run("loop", func(t *testing.T) { test(t, loopSubject(t)) })
	t.Run("pool of 1", func(t *testing.T) { test(t, poolSubject(t, 1)) })
	t.Run("pool of 4", func(t *testing.T) { test(t, poolSubject(t, 4)) })
}
