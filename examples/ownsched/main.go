// Ownsched is a scheduler of one's own: three lanes of tasks, the urgent ones
// first, round robin within a lane. It is the 60 lines of sched.go.
//
// A library with a scheduler inside has decided for its users what runs next,
// and where. Here a suspension is a value and a resume is a call: whoever keeps
// these values in some order is a scheduler. This one is the home of its tasks (see
// ctx.WithHome): when they have waited for a lock or for each other, they go on in
// their lane, in their turn, and not in the midst of whoever woke them. Leaf
// primitives need not know of it.
//
// The program is a text editor: it indexes what was written when nothing else
// is to do, draws its windows before that, and answers a key at once, or as soon as
// the text is not locked.
package main

import (
	"fmt"
	"os"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/leaf"
)

const (
	keys = iota
	windows
	background
)

func main() {
	if err := run(edit); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// edit starts the editor's tasks.
func edit(s *sched) error {
	var text leaf.Mutex
	key := func(*ctx.Task) {
		fmt.Println("key: pressed, wait for the text")
		_ = text.Lock() // no error but in a task that is being cancelled
		fmt.Println("key: typed")
		text.Unlock()
	}
	index, err := s.start(background, func(t *ctx.Task) {
		for chapter := range 3 {
			_ = text.Lock()
			fmt.Println("index: lock for chapter", chapter)
			if chapter == 1 {
				if _, err := s.start(keys, key); err != nil {
					panic(err)
				}
			}
			turn(t)
			fmt.Println("index: unlock")
			text.Unlock()
			turn(t)
		}
	})
	if err != nil {
		return err
	}
	for _, window := range []string{"left", "right"} {
		if _, err := s.start(windows, func(t *ctx.Task) {
			for line := range 2 {
				fmt.Println(window, "window: draw line", line)
				turn(t)
			}
		}); err != nil {
			return err
		}
	}
	_, err = s.start(windows, func(*ctx.Task) {
		fmt.Println("last window: show the index:", index.Wait())
	})
	return err
}
