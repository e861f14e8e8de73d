package tests

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
)

// A stressTask is one coroutine or task under stress, used by one worker at a
// time.
type stressTask struct {
	s     *stress
	rnd   *rand.Rand
	hurry bool   // no more suspensions: come to the end
	park  func() // the body's side: suspend
	run   func() // the resumer's side: run to the next suspension or the end
	done  func() bool
	free  func() // after the end
}

// newTask makes a bare coroutine or a task, most of them on mapped stacks.
func (s *stress) newTask(rnd *rand.Rand) *stressTask {
	t := &stressTask{s: s, rnd: rand.New(rand.NewPCG(rnd.Uint64(), rnd.Uint64())), free: func() {}}
	switch rnd.IntN(8) {
	case 0:
		t.asCoro(stackhop.Region{})
	case 1:
		t.asTask(ctx.WithNativeStack())
	case 2:
		t.asTask(ctx.WithStackSize(64 << 10))
	case 3:
		t.asTask(ctx.WithStrictStack(64 << 10))
	case 4:
		t.asHandle()
	default:
		var region stackhop.Region
		if s.pool != nil {
			stack, err := s.pool.Get()
			if err != nil {
				panic(err)
			}
			region, t.free = stack.Region(), func() { s.pool.Put(stack) }
		}
		t.asCoro(region)
	}
	return t
}

func (t *stressTask) asCoro(region stackhop.Region) {
	c, err := stackhop.New(region, func(*stackhop.Coro) { t.body() })
	if err != nil {
		panic(err)
	}
	t.park, t.run, t.done = c.Switch, c.Switch, c.Done
}

// asTask has the owner resume what yields.
func (t *stressTask) asTask(opt ctx.Option) {
	var task *ctx.Task
	t.run = func() {
		var err error
		if task == nil {
			task, err = ctx.Spawn(func(task *ctx.Task) { t.park = task.Yield; t.body() }, opt)
		} else {
			err = task.Resume()
		}
		t.check(err, task)
	}
	t.done = func() bool { return task.Done() }
}

// asHandle has handles resume what suspends, and tries stale ones.
func (t *stressTask) asHandle() {
	var task *ctx.Task
	var h resume.Handle
	publish := func(own resume.Handle) { h = own }
	t.park = func() { ctx.Suspend(publish) }
	t.run = func() {
		var err error
		if task == nil {
			task, err = ctx.Spawn(func(*ctx.Task) { t.body() }, ctx.WithStrictStack(64<<10))
		} else {
			old := h
			err = h.Resume()
			t.want(errors.Is(old.Resume(), resume.ErrStale), "a used handle works")
		}
		t.check(err, task)
	}
	t.done = func() bool { return task.Done() }
}

func (t *stressTask) check(err error, task *ctx.Task) {
	if err == nil && task.Done() && !errors.Is(task.Err(), ctx.ErrGoexit) {
		err = task.Err()
	}
	if err != nil {
		panic(err)
	}
}

// resume runs the task to its next suspension, or to its end.
func (t *stressTask) resume() (ended bool) {
	t.run()
	if !t.done() {
		return false
	}
	t.free()
	return true
}

func (t *stressTask) finish() {
	t.hurry = true
	for !t.resume() {
	}
}

// body does a dozen kinds of work in any order, with data of its own on its
// stack that must be the same at the end. Some bodies end by Goexit.
func (t *stressTask) body() {
	var own [64]uint64
	seed := t.rnd.Uint64()
	for i := range own {
		own[i] = seed * uint64(i+1)
	}
	defer func() {
		for i := range own {
			if own[i] != seed*uint64(i+1) {
				panic(fmt.Sprintf("word %d of a task's own frame is %#x, want %#x", i, own[i], seed*uint64(i+1)))
			}
		}
	}()
	for range 1 + t.rnd.IntN(30) {
		if t.hurry {
			return
		}
		stressWork[t.rnd.IntN(len(stressWork))](t)
	}
	if t.rnd.IntN(16) == 0 {
		defer t.yield()
		runtime.Goexit()
	}
}

func (t *stressTask) yield() {
	if !t.hurry {
		t.park()
	}
}

// want panics, and so ends the process, if a task finds other data than it left.
func (t *stressTask) want(ok bool, what string, args ...any) {
	if !ok {
		panic("task's data are corrupt: " + fmt.Sprintf(what, args...))
	}
}
