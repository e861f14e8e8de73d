// Memcheck is a program for valgrind: tasks on mapped, carved, static and growing
// stacks, an overflow among them.
package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/guard"
	"github.com/stackhop/stackhop/mmapstack"
)

var memory [64 << 10]byte

func main() {
	static, err := mmapstack.Static(memory[:])
	check(err)
	own, err := mmapstack.New(256 << 10)
	check(err)
	carved, err := own.Carve(48 << 10)
	check(err)
	growing, err := guard.NewPool(guard.Growing, 0)
	check(err)
	sum := 0
	for _, storage := range []ctx.Option{
		ctx.WithStackSize(64 << 10), ctx.WithStack(static), ctx.WithStack(own), ctx.WithStack(carved), ctx.WithPool(growing),
	} {
		for range 3 {
			t, err := ctx.Spawn(func(t *ctx.Task) {
				for range 3 {
					var v any
					check(json.Unmarshal([]byte(`{"a":[1,2,3]}`), &v))
					sum += len(fmt.Sprint(v))
					t.Yield()
				}
			}, storage)
			check(err)
			for !t.Done() {
				check(t.Resume())
			}
		}
	}
	t, err := ctx.Spawn(func(*ctx.Task) { sum += down(1 << 30) }, ctx.WithPool(growing))
	check(err)
	if !errors.Is(t.Err(), guard.ErrOverflow) {
		panic(t.Err())
	}
	kind, _ := mmapstack.GuardKind()
	fmt.Println(stackhop.Backend().Name, kind, sum, "ok")
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

//go:noinline
func down(n int) int {
	if n == 0 {
		return 0
	}
	return down(n-1) + 1
}
