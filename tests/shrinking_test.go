package tests

import (
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/internal/testsupport"
)

// The collector halves the stack of a goroutine that waits in a switch, while it marks. A
// switch back that comes at the same moment goes to the new stack.
func TestSwitchGoesToAStackThatHasMoved(t *testing.T) {
	needAsm(t)
	collections := 40
	if testing.Short() || testsupport.Emulated() {
		collections = 8
	}
	r := testsupport.RunChild(t, "shrinking", childLimit, "GOMAXPROCS=10", overflowCountEnv+"="+strconv.Itoa(collections))
	r.RequireOK(t)
}

var _ = testsupport.Child("shrinking", func() {
	const (
		owners   = 3
		parked   = 20000 // the collector takes its time for their stacks before it comes to the owners
		depth    = 200   // has the runtime grow a stack
		switches = 400   // while the stack is larger than it needs to be
	)
	for range parked {
		go func() { waitBelow(20) }()
	}
	var stop atomic.Bool
	var wg sync.WaitGroup
	for range owners {
		wg.Go(func() {
			c, err := stackhop.New(stackhop.Region{}, func(c *stackhop.Coro) {
				for {
					c.Switch()
				}
			})
			check(err)
			for !stop.Load() {
				sinkhole(depth)
				for i := range switches {
					mark := [4]int{i}
					c.Switch()
					if mark[0] != i {
						panic("went on elsewhere")
					}
				}
			}
		})
	}
	for range envInt(overflowCountEnv) {
		runtime.GC()
	}
	stop.Store(true)
	wg.Wait()
	fmt.Println("ok")
})

//go:noinline
func waitBelow(n int) int {
	var a [64]byte
	a[n%len(a)] = 1
	if n == 0 {
		select {}
	}
	return waitBelow(n-1) + int(a[n%len(a)])
}

//go:noinline
func sinkhole(n int) int {
	var a [256]byte
	a[n%len(a)] = 1
	if n == 0 {
		return 0
	}
	return sinkhole(n-1) + int(a[n%len(a)])
}
