package main

import (
	"fmt"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
)

func main() {
	var leaf resume.Handle
	task, err := ctx.Spawn(func(*ctx.Task) { // runs now, here, up to its first suspension
		fmt.Println("task: first part")
		ctx.Suspend(func(h resume.Handle) { leaf = h }) // from any depth of calls
		fmt.Println("task: second part")
	})
	if err != nil {
		panic(err)
	}
	fmt.Println("owner: the task is suspended")
	err = leaf.Resume() // an ordinary call: returns when the task suspends again or ends
	fmt.Println("owner:", err, task.Done(), task.Err())
}
