package main

import (
	"errors"
	"fmt"
	"iter"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/guard"
	"github.com/stackhop/stackhop/internal/peers/floor"
	"github.com/stackhop/stackhop/mmapstack"
	"github.com/stackhop/stackhop/pull"
	"github.com/stackhop/stackhop/resume"
)

// Names of rows that others are set beside.
const (
	rowIterPull = "iter.Pull, next"
	rowChannels = "unbuffered channels, there and back"
	rowGo       = "go statement, join by channel"
	rowIterElem = "iter.Pull, per element"
)

func noError() error { return nil }

// switchSubjects are round trips: into a body and back.
func switchSubjects() []subject {
	s := []subject{
		{"stackhop.Coro: Switch", switchOn(mapped)},
		{rowYield, taskYield()},
		{"the same, 64 KiB by size", taskYield(ctx.WithStackSize(64 << 10))},
		{"resume.Handle: Resume, Suspend", leafResume(0)},
		{rowIterPull, iterPull(forever)},
		{rowChannels, channels},
	}
	if floor.Available {
		return append([]subject{{"bare swap, nothing kept (the floor)", bareSwap}}, s...)
	}
	return s
}

func spawnSubjects() []subject {
	return []subject{
		{"ctx.Spawn, " + defaultStorage(), spawn},
		{"ctx.Spawn, 64 KiB by size", spawnWith(ctx.WithStackSize(64 << 10))},
		{"ctx.Spawn, 64 KiB strict", spawnWith(ctx.WithStrictStack(64 << 10))},
		{"ctx.Spawn, 256 KiB growing", spawnGrowing(256 << 10)},
		{rowGo, goJoin},
	}
}

func pullSubjects() []subject {
	return []subject{{"pull.Pull, per element", perElement(pull.Pull[int])}, {rowIterElem, perElement(iter.Pull[int])}}
}

func bareSwap() (func(int), func() error, error) { return floor.RoundTrips, noError, nil }

func mapped() (*mmapstack.Stack, error) { return mmapstack.New(0) }

// switchOn must not be inlined: see leafResume.
//
//go:noinline
func switchOn(memory func() (*mmapstack.Stack, error)) func() (func(int), func() error, error) {
	return func() (func(int), func() error, error) {
		stack, err := memory()
		if err != nil {
			return nil, nil, err
		}
		stopped := false
		c, err := stackhop.New(stack.Region(), func(c *stackhop.Coro) {
			for !stopped {
				c.Switch()
			}
		})
		if err != nil {
			return nil, nil, err
		}
		step := func(n int) {
			for range n {
				c.Switch()
			}
		}
		stop := func() error {
			stopped = true
			c.Switch()
			return stack.Close()
		}
		return step, stop, nil
	}
}

// taskYield must not be inlined: see leafResume.
//
//go:noinline
func taskYield(opts ...ctx.Option) func() (func(int), func() error, error) {
	return func() (func(int), func() error, error) {
		stopped := false
		t, err := ctx.Spawn(func(t *ctx.Task) {
			for !stopped {
				t.Yield()
			}
		}, opts...)
		if err != nil {
			return nil, nil, err
		}
		step := func(n int) {
			for range n {
				if err := t.Resume(); err != nil {
					panic(err)
				}
			}
		}
		stop := func() error {
			stopped = true
			return t.Resume()
		}
		return step, stop, nil
	}
}

// leafResume suspends below depth more frames and resumes that leaf. It must not
// be inlined: the compiler does not inline Resume and SuspendTo into the copies
// of function literals that it makes then, see resume.enter.
//
//go:noinline
func leafResume(depth int) func() (func(int), func() error, error) {
	return func() (func(int), func() error, error) {
		var (
			leaf    cell
			stopped bool
		)
		_, err := ctx.Spawn(func(t *ctx.Task) {
			below(depth, func() {
				for !stopped {
					t.SuspendTo(&leaf)
				}
			})
		}, ctx.WithStackSize(256<<10))
		if err != nil {
			return nil, nil, err
		}
		step := func(n int) {
			for range n {
				if err := leaf.h.Resume(); err != nil {
					panic(err)
				}
			}
		}
		stop := func() error {
			stopped = true
			return leaf.h.Resume()
		}
		return step, stop, nil
	}
}

// A cell keeps the handle of one waiting task, like the simplest of leaves.
type cell struct{ h resume.Handle }

func (c *cell) Publish(h resume.Handle) { c.h = h }

// below calls f beneath depth frames of its own.
//
//go:noinline
func below(depth int, f func()) int {
	if depth == 0 {
		f()
		return 0
	}
	return below(depth-1, f) + 1
}

// iterPull is iter.Pull as it is mostly used, on a sequence that comes from
// elsewhere.
func iterPull(seq iter.Seq[struct{}]) func() (func(int), func() error, error) {
	return func() (func(int), func() error, error) {
		next, stop := iter.Pull(seq)
		step := func(n int) {
			for range n {
				next()
			}
		}
		return step, func() error { stop(); return nil }, nil
	}
}

func forever(yield func(struct{}) bool) {
	for yield(struct{}{}) {
	}
}

func channels() (func(int), func() error, error) {
	there, back := make(chan struct{}), make(chan struct{})
	go func() {
		for range there {
			back <- struct{}{}
		}
		close(back)
	}()
	step := func(n int) {
		for range n {
			there <- struct{}{}
			<-back
		}
	}
	return step, func() error { close(there); <-back; return nil }, nil
}

func spawn() (func(int), func() error, error) {
	body := func(*ctx.Task) {}
	t, err := ctx.Spawn(body)
	if err != nil {
		return nil, nil, err
	}
	step := func(n int) {
		for range n {
			t, err := ctx.Spawn(body)
			if err != nil {
				panic(err)
			}
			if err := t.Free(); err != nil {
				panic(err)
			}
		}
	}
	return step, t.Err, nil
}

// spawnWith is spawn with an option. It must not be inlined: see leafResume.
//
//go:noinline
func spawnWith(opt ctx.Option) func() (func(int), func() error, error) {
	return func() (func(int), func() error, error) {
		body := func(*ctx.Task) {}
		t, err := ctx.Spawn(body, opt)
		if err != nil {
			return nil, nil, err
		}
		step := func(n int) {
			for range n {
				t, err := ctx.Spawn(body, opt)
				if err == nil {
					err = t.Free()
				}
				if err != nil {
					panic(err)
				}
			}
		}
		return step, t.Err, nil
	}
}

// spawnGrowing is spawn on a pool of stacks that grow.
func spawnGrowing(size int) func() (func(int), func() error, error) {
	return func() (func(int), func() error, error) {
		pool, err := guard.NewPool(guard.Growing, size)
		if errors.Is(err, guard.ErrTrap) {
			return nil, nil, fmt.Errorf("%w: %w", errNotHere, err)
		}
		if err != nil {
			return nil, nil, err
		}
		step, _, err := spawnWith(ctx.WithPool(pool))()
		return step, pool.Close, err
	}
}

func goJoin() (func(int), func() error, error) {
	done := make(chan struct{})
	step := func(n int) {
		for range n {
			go func() { done <- struct{}{} }()
			<-done
		}
	}
	return step, noError, nil
}

func perElement(puller func(iter.Seq[int]) (func() (int, bool), func())) func() (func(int), func() error, error) {
	return func() (func(int), func() error, error) {
		next, stop := puller(func(yield func(int) bool) {
			for i := 0; yield(i); i++ {
			}
		})
		step := func(n int) {
			for range n {
				next()
			}
		}
		return step, func() error { stop(); return nil }, nil
	}
}
