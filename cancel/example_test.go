package cancel_test

import (
	"errors"
	"fmt"

	"github.com/stackhop/stackhop/cancel"
	"github.com/stackhop/stackhop/ctx"
)

func ExampleHere() {
	t, err := ctx.Spawn(func(t *ctx.Task) {
		defer fmt.Println("tidied up")
		for i := 0; ; i++ { // computes, and never suspends
			if i == 1000 {
				_ = t.Cancel(errors.New("long enough"))
			}
			cancel.Here()
		}
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(t.Err())
	// Output:
	// tidied up
	// cancelled: long enough
}
