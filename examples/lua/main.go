// Lua gives Go the coroutines of Lua, §6.2 of its manual, in the 60 lines of
// lua.go: create, resume, yield, status, wrap, close, isyieldable and running.
// Values go both ways. An error is a panic inside and a result outside, as with
// pcall; what wrap makes returns it as well, instead of raising it again.
//
// Lua's coroutines are asymmetric and stackful, and so are tasks: resume is
// Task.Resume, yield is Task.Yield from any depth of calls, close is Task.Cancel,
// and to-be-closed variables are deferred calls. What is left to write is who runs
// now, and where the values are.
//
// The program shows the classics of the book "Programming in Lua", and what is
// hard without coroutines: to compare two trees while walking both.
package main

import (
	"errors"
	"fmt"
	"strings"
)

func main() {
	fmt.Println("# producer, filter, consumer")
	consume(number(produce("never", "odd", "or even")))

	fmt.Println("# permutations")
	for next := permutations("a", "b", "c"); ; {
		p, err := next()
		if err != nil || len(p) == 0 {
			break
		}
		fmt.Println(p...)
	}

	fmt.Println("# same fringe")
	left := tree{tree{leaf("x"), leaf("y")}, leaf("z")}
	right := tree{leaf("x"), tree{leaf("y"), leaf("z")}}
	fmt.Println(sameFringe(left, right))
	fmt.Println(sameFringe(left, tree{leaf("x"), tree{leaf("?"), leaf("z")}}))

	fmt.Println("# both ways")
	bothWays()

	fmt.Println("# errors and close")
	errorsAndClose()
}

// produce, number and consume: each believes that it is the main program.
func produce(lines ...string) *coroutine {
	return create(func(...any) []any {
		for _, line := range lines {
			yield(line)
		}
		return nil
	})
}

func number(source *coroutine) *coroutine {
	return create(func(...any) []any {
		for n := 1; ; n++ {
			line, _ := source.resume()
			if line == nil {
				return nil
			}
			yield(fmt.Sprint(n, " ", line[0]))
		}
	})
}

func consume(source *coroutine) {
	for {
		line, _ := source.resume()
		if line == nil {
			return
		}
		fmt.Println(line...)
	}
}

// permutations yields from the bottom of a recursion.
func permutations(a ...any) func(...any) ([]any, error) {
	var permute func(n int)
	permute = func(n int) {
		if n <= 1 {
			yield(a...)
			return
		}
		for i := range n {
			a[i], a[n-1] = a[n-1], a[i]
			permute(n - 1)
			a[i], a[n-1] = a[n-1], a[i]
		}
	}
	return wrap(func(...any) []any {
		permute(len(a))
		return nil
	})
}

// A node is a tree or a leaf.
type node interface{ walk() }

type (
	tree struct{ left, right node }
	leaf string
)

func (t tree) walk() { t.left.walk(); t.right.walk() }
func (l leaf) walk() { yield(l) }

// sameFringe reports whether two trees have the same leaves, whatever their
// shapes. It walks no further than to the first difference.
func sameFringe(a, b node) bool {
	fringe := func(n node) *coroutine {
		return create(func(...any) []any {
			n.walk()
			return []any{nil}
		})
	}
	x, y := fringe(a), fringe(b)
	defer x.close()
	defer y.close()
	for {
		p, _ := x.resume()
		q, _ := y.resume()
		if p[0] != q[0] {
			return false
		}
		if p[0] == nil {
			return true
		}
	}
}

func bothWays() {
	co := create(func(args ...any) []any {
		fmt.Println("begins with", args)
		fmt.Println("is given", yield("first"))
		fmt.Println("is given", yield("second", 2))
		return []any{"the end"}
	})
	for i := range 4 {
		values, err := co.resume(i, i*i)
		fmt.Println(values, err, co.status)
	}
}

func errorsAndClose() {
	var outer *coroutine
	inner := create(func(...any) []any {
		me, isMain := running()
		fmt.Println(me.status, outer.status, isMain, isYieldable())
		_, err := outer.resume()
		fmt.Println(err)
		panic(errors.New("no more"))
	})
	outer = create(func(...any) []any {
		_, err := inner.resume()
		fmt.Println(err, inner.status)
		defer fmt.Println("closed in the midst of it")
		yield(strings.ToUpper("outer"))
		fmt.Println("never comes here")
		return nil
	})
	fmt.Println(outer.resume())
	fmt.Println(outer.close(), outer.status)
	_, err := outer.resume()
	fmt.Println(err)
}
