//go:build cgo

package cgo

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/guard"
	"github.com/stackhop/stackhop/internal/testsupport"
)

const orderEnv = "STACKHOP_ORDER"

// A C library has a SIGSEGV handler of its own, installed before the trap or after
// it, and threads that are none of Go's and fault. Everybody gets the faults that
// are theirs.
func TestH43OtherHandlersAndThreadsOfC(t *testing.T) {
	if b := stackhop.Backend(); b.Name != "asm" {
		t.Skipf("this is about the asm backend: %s", b.Reason)
	}
	for _, order := range []string{"library first", "trap first"} {
		t.Run(order, func(t *testing.T) {
			testsupport.RunChild(t, "handlers", 2*time.Minute, orderEnv+"="+order).RequireOK(t)
		})
	}
}

var _ = testsupport.Child("handlers", func() {
	steps := []func() error{installHandler, guard.Install}
	if os.Getenv(orderEnv) == "trap first" {
		steps[0], steps[1] = steps[1], steps[0]
	}
	for _, step := range steps {
		if err := step(); err != nil {
			panic(err)
		}
	}
	pool, err := guard.NewPool(guard.Growing, 0)
	if err != nil {
		panic(err)
	}
	done := make(chan int)
	go func() { done <- faultOnThreads(4, 2000) }()
	for range 50 {
		task, err := ctx.Spawn(func(*ctx.Task) { deepGo(1 << 30) }, ctx.WithPool(pool))
		if err != nil || !errors.Is(task.Err(), guard.ErrOverflow) {
			panic(fmt.Sprint(err, task.Err()))
		}
		nilDereference()
	}
	if bad := <-done; bad != 0 {
		panic(fmt.Sprintf("%d threads of C went wrong", bad))
	}
	if n := passedOn(); n < 50 {
		panic(fmt.Sprintf("the library's handler has seen %d faults of Go code", n))
	}
	fmt.Println("ok")
})

// nilDereference panics, and recovers.
func nilDereference() {
	defer func() {
		if recover() == nil {
			panic("no panic")
		}
	}()
	var p *[64]int
	sink += p[len(os.Args)]
}

var sink int
