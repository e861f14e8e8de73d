package main

import (
	"errors"
	"fmt"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/guard"
	"github.com/stackhop/stackhop/mmapstack"
)

const (
	rowBareSwitch = "Coro.Switch, static memory, no guard"
	rowBareSpawn  = "ctx.Spawn, static memory, no guard"
	rowCopied     = "goroutine, copied as it grows"
)

// unguarded are two stacks without guards.
var unguarded [2][96 << 10]byte

func static(i int) func() (*mmapstack.Stack, error) {
	return func() (*mmapstack.Stack, error) { return mmapstack.Static(unguarded[i][:]) }
}

func guardedSwitchSubjects() []subject {
	return []subject{{"Coro.Switch, mapped stack, guarded", switchOn(mapped)}, {rowBareSwitch, switchOn(static(0))}}
}

func guardedSpawnSubjects() []subject {
	return []subject{{"ctx.Spawn, mapped stack, guarded", spawnOn(mapped)}, {rowBareSpawn, spawnOn(static(1))}}
}

// growthSubjects are bodies that use a hundred KiB of stack, and one that wants
// more than there is.
func growthSubjects() []subject {
	deep := func() { deepen(110) }
	return []subject{
		{"strict stack, large enough", bodyOn(guard.Strict, deep)},
		{"stack that grows in place", bodyOn(guard.Growing, deep)},
		{"overflow of 128 KiB, recovered", bodyOn(guard.Growing, overflowAndRecover)},
		{rowCopied, deepGoroutine},
	}
}

// spawnOn must not be inlined: see leafResume.
//
//go:noinline
func spawnOn(stack func() (*mmapstack.Stack, error)) func() (func(int), func() error, error) {
	return func() (func(int), func() error, error) {
		s, err := stack()
		if err != nil {
			return nil, nil, err
		}
		body := func(*ctx.Task) {}
		step := func(n int) {
			for range n {
				t, err := ctx.Spawn(body, ctx.WithStack(s))
				if err == nil {
					err = t.Free()
				}
				if err != nil {
					panic(err)
				}
			}
		}
		return step, s.Close, nil
	}
}

// bodyOn runs body on one stack, again and again, from a small window each time.
func bodyOn(policy guard.Policy, body func()) func() (func(int), func() error, error) {
	return func() (func(int), func() error, error) {
		if err := guard.Install(); err != nil {
			return nil, nil, fmt.Errorf("%w: %w", errNotHere, err)
		}
		s, err := guard.New(policy, 128<<10)
		if err != nil {
			return nil, nil, err
		}
		c, err := stackhop.New(s.Region(), nil)
		if err != nil {
			return nil, nil, errors.Join(err, s.Close())
		}
		step := func(n int) {
			for range n {
				if err := c.Reset(func(*stackhop.Coro) { body() }); err != nil {
					panic(err)
				}
				c.Switch()
				c.Shrink()
			}
		}
		return step, func() error { return errors.Join(c.Close(), s.Close()) }, nil
	}
}

func deepGoroutine() (func(int), func() error, error) {
	done := make(chan struct{})
	step := func(n int) {
		for range n {
			go func() { deepen(110); done <- struct{}{} }()
			<-done
		}
	}
	return step, noError, nil
}

func overflowAndRecover() {
	defer func() {
		if err, _ := recover().(error); !errors.Is(err, guard.ErrOverflow) {
			panic(err)
		}
	}()
	deepen(1 << 30)
}

// deepen uses some 900 bytes of stack for each of n calls.
//
//go:noinline
func deepen(n int) int {
	var a [100]int
	a[n%100] = n
	if n == 0 {
		return 0
	}
	return deepen(n-1) + a[n%100]
}
