package pull_test

import (
	"fmt"
	"slices"

	"github.com/stackhop/stackhop/mmapstack"
	"github.com/stackhop/stackhop/pull"
)

func ExamplePull() {
	// The iterator's side: it runs only while next or stop waits for it.
	letters := func(yield func(string) bool) {
		defer fmt.Println("iterator: cleaned up")
		for _, s := range []string{"a", "b", "c"} {
			fmt.Println("iterator: made", s)
			if !yield(s) {
				return
			}
		}
	}
	// The consumer's side.
	next, stop := pull.Pull(letters)
	defer stop()
	for range 2 {
		s, ok := next()
		fmt.Println("consumer: got", s, ok)
	}
	// Output:
	// iterator: made a
	// consumer: got a true
	// iterator: made b
	// consumer: got b true
	// iterator: cleaned up
}

func ExamplePull2() {
	next, stop := pull.Pull2(slices.All([]string{"zero", "one"}))
	defer stop()
	for i, s, ok := next(); ok; i, s, ok = next() {
		fmt.Println(i, s)
	}
	// Output:
	// 0 zero
	// 1 one
}

func ExamplePullFrom() {
	pool, err := mmapstack.NewPool(0)
	if err != nil {
		fmt.Println(err)
		return
	}
	// Two sequences, merged: each is pulled at its own pace.
	odd, stopOdd, err := pull.PullFrom(pool, slices.Values([]int{1, 3, 5}))
	if err != nil {
		fmt.Println(err)
		return
	}
	even, stopEven, err := pull.PullFrom(pool, slices.Values([]int{2, 4}))
	if err != nil {
		fmt.Println(err)
		return
	}
	var merged []int
	a, okA := odd()
	b, okB := even()
	for okA || okB {
		if okA && (!okB || a < b) {
			merged = append(merged, a)
			a, okA = odd()
		} else {
			merged = append(merged, b)
			b, okB = even()
		}
	}
	fmt.Println(merged)
	stopOdd()
	stopEven()
	fmt.Println("stacks out:", pool.Stats().InUse)
	if err := pool.Close(); err != nil {
		fmt.Println(err)
	}
	// Output:
	// [1 2 3 4 5]
	// stacks out: 0
}
