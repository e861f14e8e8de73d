package ctx_test

import (
	"fmt"
	"sort"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
)

func ExampleSpawn() {
	var leaf resume.Handle
	task, err := ctx.Spawn(func(*ctx.Task) { // runs now, here, to its first suspension
		fmt.Println("task: first part")
		ctx.Suspend(func(h resume.Handle) { leaf = h }) // from any depth of calls
		fmt.Println("task: second part")
	})
	fmt.Println("owner: suspended,", err, task.Done())
	err = leaf.Resume() // returns when the task suspends again or ends
	fmt.Println("owner:", err, task.Done(), task.Err())
	fmt.Println("owner:", leaf.Resume())
	// Output:
	// task: first part
	// owner: suspended, <nil> false
	// task: second part
	// owner: <nil> true <nil>
	// owner: resume: stale handle
}

func ExampleTask_Yield() {
	words := []string{"pear", "fig", "apple"}
	var pair [2]string
	task, _ := ctx.Spawn(func(task *ctx.Task) {
		sort.Slice(words, func(i, j int) bool {
			pair = [2]string{words[i], words[j]}
			task.Yield() // inside somebody else's function
			return words[i] < words[j]
		})
	})
	for !task.Done() {
		fmt.Println("compare", pair[0], pair[1])
		_ = task.Resume()
	}
	fmt.Println(words, task.Free())
	// Output:
	// compare fig pear
	// compare apple pear
	// compare apple fig
	// [apple fig pear] <nil>
}

func ExampleTask_Err() {
	task, _ := ctx.Spawn(func(*ctx.Task) { panic("no paper") }, ctx.WithName("printer"))
	fmt.Println(task.Err())
	// Output:
	// ctx: task "printer" panicked: no paper
}
