package main

import (
	"fmt"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/join"
)

// skynetTasks is the skynet benchmark (github.com/atemerev/skynet) on tasks:
// each starts ten, down to size ones that answer their number, and answers the
// sum of what these do.
func skynetTasks(first, size int) (sum int, err error) {
	if size == 1 {
		return first, nil
	}
	var parts [10]int
	err = join.Each(10, func(_ *ctx.Task, i int) (err error) {
		parts[i], err = skynetTasks(first+i*size/10, size/10)
		return err
	})
	for _, part := range parts {
		sum += part
	}
	return sum, err
}

// skynetGoroutines is the same on goroutines.
func skynetGoroutines(answer chan<- int, first, size int) {
	if size == 1 {
		answer <- first
		return
	}
	parts, sum := make(chan int), 0
	for i := range 10 {
		go skynetGoroutines(parts, first+i*size/10, size/10)
	}
	for range 10 {
		sum += <-parts
	}
	answer <- sum
}

// skynetLeaves is how many of a skynet answer their number: 1,111 in all.
const (
	skynetLeaves = 1000
	skynetSum    = skynetLeaves * (skynetLeaves - 1) / 2
)

func checked(sum int, err error) {
	if sum != skynetSum || err != nil {
		panic(fmt.Sprintf("skynet: %d, %v; want %d", sum, err, skynetSum))
	}
}

func skynetOfTasks() (func(int), func() error, error) {
	return onTask(func(n int) {
		for range n {
			checked(skynetTasks(0, skynetLeaves))
		}
	}), noError, nil
}

func skynetOfGoroutines() (func(int), func() error, error) {
	return func(n int) {
		for range n {
			answer := make(chan int)
			go skynetGoroutines(answer, 0, skynetLeaves)
			checked(<-answer, nil)
		}
	}, noError, nil
}
