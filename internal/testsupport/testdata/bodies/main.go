// Program bodies has what a reader of programs has to cope with: calls of every
// kind, inlined calls, a jump table, defers, panics, generics and iterators.
package main

import (
	"errors"
	"fmt"
	"os"
	"sort"
	"strings"
)

// take is called with a constant and a static func value.
//
//go:noinline
func take(n int, f func() int) int { return n + f() }

func seven() int { return 7 }

type shape interface{ area() int }

type square struct{ side int }

type circle struct{ radius int }

func (s square) area() int  { return s.side * s.side }
func (c *circle) area() int { return 3 * c.radius * c.radius }

//go:noinline
func total(all []shape) (n int) {
	for _, s := range all {
		n += s.area()
	}
	return n
}

// words is a switch that the compiler makes a jump table of.
//
//go:noinline
func words(n int) string {
	switch n {
	case 0:
		return "zero"
	case 1:
		return strings.Repeat("o", n)
	case 2:
		return fmt.Sprint(n)
	case 3:
		return "three" + os.Getenv("X")
	case 4:
		return fmt.Sprintf("%d", n)
	case 5:
		return "five"
	case 6:
		return strings.ToUpper("six")
	case 7:
		return "seven"
	case 8:
		return "eight" + strings.Repeat("x", n)
	case 9:
		return "nine"
	}
	return "many"
}

//go:noinline
func recovers(n int) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.New(fmt.Sprint(r))
		}
	}()
	for i := range n {
		defer fmt.Fprint(os.Stderr)
		if i == 3 {
			panic(i)
		}
	}
	return nil
}

type number interface{ ~int | ~float64 }

//go:noinline
func sum[T number](all ...T) (s T) {
	each(all)(func(v T) bool { s += v; return true })
	for v := range each(all) {
		s += v
	}
	return s
}

func each[T any](all []T) func(func(T) bool) {
	return func(yield func(T) bool) {
		for _, v := range all {
			if !yield(v) {
				return
			}
		}
	}
}

//go:noinline
func large(n int) byte {
	var buf [70_000]byte
	buf[n] = byte(n)
	return buf[n/2]
}

// weigh is inlined only where a profile has its call among the hot ones.
func weigh(all []int) (n int) {
	for i, v := range all {
		switch {
		case v > 100:
			n += v * 3
		case v > 10:
			n += v * 2
		case v < -10:
			n -= v
		default:
			n += i
		}
		if n > 1000 {
			n = n%1000 + len(all) + v*v + i*i
		}
	}
	for i := range all {
		all[i] += n + i
		all[0] = max(all[0], all[i]*3, all[len(all)-1-i]-7, n^i, n|i, n&^i, n<<(i&7)-all[len(all)/2])
	}
	return n + len(all)*cap(all)
}

func main() {
	n := len(os.Args)
	x := take(70_000, seven) + take(0x18000, func() int { return n })
	s := []shape{square{2}, &circle{n}}
	sort.Slice(s, func(i, j int) bool { return s[i].area() < s[j].area() })
	go seven()
	fmt.Println(x, total(s), words(n), recovers(n), sum(1, 2), sum(1.5), large(n), foreign(), weigh([]int{n, n * n}))
}
