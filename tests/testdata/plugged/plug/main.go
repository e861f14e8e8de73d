// Plug is a plugin in which tasks run: on mapped stacks, and on those of the runtime.
package main

import (
	"fmt"
	"runtime"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/guard"
)

// Run is what the host calls.
func Run() (string, error) {
	b := stackhop.Backend()
	report := fmt.Sprintf("backend %s: %s\n", b.Name, b.Reason)
	pool, err := guard.NewPool(guard.Strict, 256<<10)
	if err != nil {
		return report, err
	}
	defer pool.Close()
	for name, opt := range map[string]ctx.Option{"mapped": ctx.WithPool(pool), "native": ctx.WithNativeStack()} {
		sum := 0
		for range 100 {
			task, err := ctx.Spawn(func(t *ctx.Task) {
				for d := 1; d <= 200; d *= 2 {
					sum += deep(d)
					if ctx.Current() != t {
						panic("another task")
					}
					t.Yield()
				}
				runtime.GC()
			}, opt)
			if err != nil {
				return report, err
			}
			for !task.Done() {
				if err := task.Resume(); err != nil {
					return report, err
				}
			}
			if err := task.Err(); err != nil {
				return report, err
			}
		}
		report += fmt.Sprintf("%s %d\n", name, sum)
	}
	_, err = guard.NewPool(guard.Growing, 256<<10)
	return report + fmt.Sprintf("growing: %v\n", err), nil
}

//go:noinline
func deep(n int) int {
	var pad [16]int
	pad[n%16] = 1
	if n == 0 {
		return 0
	}
	return deep(n-1) + pad[n%16]
}
