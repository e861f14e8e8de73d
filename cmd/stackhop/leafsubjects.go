package main

import (
	"sync"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/join"
	"github.com/stackhop/stackhop/leaf"
)

const (
	rowMutex    = "sync.Mutex between goroutines"
	rowGoChan   = "Go channel, per value"
	rowGoChan16 = "Go channel, 16 buffered, per value"
	rowYield    = "ctx.Task: Resume, Yield"
	rowWait2    = "two goroutines, sync.WaitGroup"
	rowSkynet   = "skynet of goroutines"
)

// lockSubjects give a lock to one who waits for it, and take another one back.
func lockSubjects() []subject {
	return []subject{{"leaf.Mutex between tasks", lockHandOver}, {rowMutex, goLockHandOver}}
}

func chanSubjects() []subject {
	return []subject{{"leaf.Chan, unbuffered, per value", chanOfTasks(0)}, {rowGoChan, goChan(0)}}
}

func bufferSubjects() []subject {
	return []subject{{"leaf.Chan, 16 buffered, per value", chanOfTasks(16)}, {rowGoChan16, goChan(16)}}
}

func transferSubjects() []subject {
	return []subject{{"ctx.Task: TransferTo, one way", transfers}, {rowYield, taskYield()}}
}

func joinSubjects() []subject {
	return []subject{
		{"join.All of two, pooled stacks", joinTwo(0)},
		{"join.All of two, carved stacks", joinTwo(8 << 10)},
		{rowWait2, goJoinTwo},
	}
}

func skynetSubjects() []subject {
	return []subject{{"skynet of tasks", skynetOfTasks}, {rowSkynet, skynetOfGoroutines}}
}

// onTask has step run on a task of its own.
func onTask(step func(n int)) func(n int) {
	return func(n int) {
		t, err := ctx.Spawn(func(*ctx.Task) { step(n) }, ctx.WithStackSize(256<<10))
		if err == nil {
			err = t.Wait()
		}
		if err != nil {
			panic(err)
		}
	}
}

func lockHandOver() (func(int), func() error, error) {
	var there, back leaf.Mutex
	if err := there.Lock(); err != nil {
		return nil, nil, err
	}
	if err := back.Lock(); err != nil {
		return nil, nil, err
	}
	t, err := ctx.Spawn(func(*ctx.Task) {
		for there.Lock() == nil {
			back.Unlock()
		}
	})
	step := onTask(func(n int) {
		for range n {
			there.Unlock()
			if err := back.Lock(); err != nil {
				panic(err)
			}
		}
	})
	return step, func() error { return t.Cancel(nil) }, err
}

func goLockHandOver() (func(int), func() error, error) {
	var there, back sync.Mutex
	there.Lock()
	back.Lock()
	stop := false
	go func() {
		for there.Lock(); !stop; there.Lock() {
			back.Unlock()
		}
		back.Unlock()
	}()
	step := func(n int) {
		for range n {
			there.Unlock()
			back.Lock()
		}
	}
	return step, func() error { stop = true; there.Unlock(); back.Lock(); return nil }, nil
}

// chanOfTasks must not be inlined, for the reason that leafResume tells.
//
//go:noinline
func chanOfTasks(capacity int) func() (func(int), func() error, error) {
	return func() (func(int), func() error, error) {
		c := leaf.NewChan[int](capacity)
		_, err := ctx.Spawn(func(*ctx.Task) {
			for {
				if _, err := c.Recv(); err != nil {
					return
				}
			}
		})
		step := onTask(func(n int) {
			for i := range n {
				if err := c.Send(i); err != nil {
					panic(err)
				}
			}
		})
		return step, c.Close, err
	}
}

func goChan(capacity int) func() (func(int), func() error, error) {
	return func() (func(int), func() error, error) {
		c, done := make(chan int, capacity), make(chan struct{})
		go func() {
			defer close(done)
			for range c {
			}
		}()
		step := func(n int) {
			for i := range n {
				c <- i
			}
		}
		return step, func() error { close(c); <-done; return nil }, nil
	}
}

// transfers goes round a ring of tasks, each of which transfers to the next.
func transfers() (func(int), func() error, error) {
	var (
		ring [8]cell
		left int
		all  [len(ring)]*ctx.Task
	)
	for i := range ring {
		own, next := &ring[i], &ring[(i+1)%len(ring)]
		var err error
		if all[i], err = ctx.Spawn(func(t *ctx.Task) {
			for t.SuspendTo(own); ; {
				if left--; left < 0 {
					t.SuspendTo(own)
				} else if err := t.TransferTo(next.h, own); err != nil {
					panic(err)
				}
			}
		}); err != nil {
			return nil, nil, err
		}
	}
	at := 0
	step := func(n int) {
		left = n
		if err := ring[at].h.Resume(); err != nil {
			panic(err)
		}
		at = (at + n) % len(ring)
	}
	stop := func() error {
		for _, t := range all {
			if err := t.Cancel(nil); err != nil {
				return err
			}
		}
		return nil
	}
	return step, stop, nil
}

func joinTwo(size join.Size) func() (func(int), func() error, error) {
	return func() (func(int), func() error, error) {
		arm := func(*ctx.Task) error { return nil }
		return onTask(func(n int) {
			for range n {
				if err := size.All(arm, arm); err != nil {
					panic(err)
				}
			}
		}), noError, nil
	}
}

func goJoinTwo() (func(int), func() error, error) {
	var wg sync.WaitGroup
	return func(n int) {
		for range n {
			wg.Add(2)
			go wg.Done()
			go wg.Done()
			wg.Wait()
		}
	}, noError, nil
}
