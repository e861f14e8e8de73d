package tests

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/guard"
	"github.com/stackhop/stackhop/internal/testsupport"
)

// A context belongs to many goroutines, and unlocks itself without defer: one task's
// overflow in its methods must not keep it locked.
func TestOverflowLeavesNoContextLocked(t *testing.T) {
	needAsm(t)
	testsupport.RunChild(t, "context-overflow", childLimit).RequireOK(t)
}

var _ = testsupport.Child("context-overflow", func() {
	pool, err := guard.NewPool(guard.Growing, 16<<10)
	check(err)
	overflows := 0
	for depth := range 2000 {
		shared, cancel := context.WithCancel(context.Background())
		task, err := ctx.Spawn(func(*ctx.Task) {
			pads[depth%len(pads)](depth/len(pads), func() {
				c, end := context.WithCancel(shared)
				_, endChild := context.WithTimeout(c, time.Hour)
				end() // and the child's, while c is locked
				endChild()
			})
		}, ctx.WithPool(pool))
		check(err)
		if errors.Is(task.Err(), guard.ErrOverflow) {
			overflows++
		} else {
			check(task.Err())
		}
		cancel() // a context that is locked hangs here
	}
	check(pool.Close())
	if overflows == 0 {
		panic("nothing has overflowed")
	}
	fmt.Println("ok")
})
