package tests

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"reflect"
	"regexp"
	"runtime"
	"sort"
	"strings"
	"sync"
	"text/template"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/guard"
	"github.com/stackhop/stackhop/mmapstack"
	"github.com/stackhop/stackhop/resume"
)

// A descent recurses until the stack is full, through other people's code.
type descent struct {
	rnd       *rand.Rand
	kind      int // of descents; the last: another one at each level
	ch        chan int
	in, out   int // calls begun, and their deferred calls run
	swallowed error

	// Of a recursion that parks at each level, see parkings.
	t      *ctx.Task
	child  *ctx.Task
	handle resume.Handle
	frame  int
	pool   *mmapstack.Pool
	pipe   [2]*os.File
	m      sync.Map
	mu     sync.Mutex

	ticks   chan int
	buf     [1]byte
	once    sync.Once
	ints    map[int]int
	decoded any
}

// descents are what is between one level of a descent and the next.
var descents []func(d *descent, n int) int

func init() { // descents and next refer to each other
	descents = []func(d *descent, n int) int{
		func(d *descent, n int) int { return d.next(n) },
		func(d *descent, n int) int { var a [16]byte; return framed(d, n, a[:]) },
		func(d *descent, n int) int { var a [1 << 10]byte; return framed(d, n, a[:]) },
		func(d *descent, n int) int { var a [9 << 10]byte; return framed(d, n, a[:]) },
		func(d *descent, n int) int { var a [48 << 10]byte; return framed(d, n, a[:]) },
		func(d *descent, n int) int { var a [128 << 10]byte; return framed(d, n, a[:]) },
		func(d *descent, n int) int { // allocation
			m := map[string][]int{fmt.Sprint(n): make([]int, n%100+1)}
			defer func() { m["x"] = append(m["x"], len(m)) }()
			r := d.next(n)
			return r + len(m[fmt.Sprint(n)])
		},
		func(d *descent, n int) int { // parks on a channel, woken by another goroutine
			var v [4]int // what is received lies on the stack
			ch := make(chan [4]int)
			go func() { runtime.Gosched(); ch <- [4]int{n, n, n, n} }()
			select {
			case v = <-ch:
			case d.ch <- n:
				<-d.ch
				v = <-ch
			}
			if v != [4]int{n, n, n, n} {
				panic(fmt.Sprint("received ", v))
			}
			return d.next(n)
		},
		func(d *descent, n int) int { // encoding/json
			b, err := json.Marshal(map[string]any{"a": marshals{d, n}})
			d.pass(err)
			return len(b)
		},
		func(d *descent, n int) int { // fmt swallows panics
			s := fmt.Sprintf("%v %s", n, stringer{d, n})
			d.pass(nil)
			if strings.Contains(s, "PANIC") { // the call of String itself did not fit
				return full(n)
			}
			return len(s)
		},
		func(d *descent, n int) int { // sort
			a := []int{3, 1, 2}
			once := false
			sort.Slice(a, func(i, j int) bool {
				if !once {
					once = true
					d.next(n)
				}
				return a[i] < a[j]
			})
			return a[0]
		},
		func(d *descent, n int) int { // regexp
			s := vowel.ReplaceAllStringFunc("bac", func(s string) string { d.next(n); return s + s })
			return len(s)
		},
		func(d *descent, n int) int { // text/template makes errors of panics
			d.pass(deeper.Execute(io.Discard, templated{d, n}))
			return n
		},
		func(d *descent, n int) int { // reflection
			out := reflect.ValueOf(d.next).Call([]reflect.Value{reflect.ValueOf(n)})
			return int(out[0].Int())
		},
		func(d *descent, n int) int { // reflect.MakeFunc
			fn := reflect.MakeFunc(reflect.TypeOf(d.next), func(in []reflect.Value) []reflect.Value {
				return []reflect.Value{reflect.ValueOf(d.next(int(in[0].Int())))}
			}).Interface().(func(int) int)
			return fn(n)
		},
		func(d *descent, n int) int { var i interface{ next(int) int } = d; return i.next(n) },
		func(d *descent, n int) int { return generic(d, n, [3]string{"a", "b", "c"}) },
		// A panic on the way, recovered. To recurse in a deferred call without
		// that would be to recurse again from each level of the unwinding.
		func(d *descent, n int) int {
			if n%16 != 0 { // each costs the runtime a walk over all before
				return d.next(n)
			}
			func() {
				defer func() {
					if v := recover(); v != "again" {
						panic(v)
					}
					d.next(n)
				}()
				panic("again")
			}()
			return 0
		},
	}
	for _, p := range parkings {
		if p.name != "pipe" && p.name != "iopipe" { // which another level would read from
			descents = append(descents, func(d *descent, n int) int { p.park(d, n); return d.next(n) })
		}
	}
}

var (
	vowel  = regexp.MustCompile("a")
	deeper = template.Must(template.New("").Parse(`{{.Next}}`))
)

type marshals struct {
	d *descent
	n int
}

func (m marshals) MarshalJSON() ([]byte, error) { m.d.next(m.n); return []byte("1"), nil }

type stringer struct {
	d *descent
	n int
}

func (s stringer) String() string {
	defer func() {
		if v := recover(); v != nil {
			s.d.swallowed, _ = v.(error)
			panic(v)
		}
	}()
	s.d.next(s.n)
	return strings.Repeat("x", 3)
}

type templated struct {
	d *descent
	n int
}

func (t templated) Next() int { return t.d.next(t.n) }

// full overflows.
//
//go:noinline
func full(n int) int {
	if n < 0 { // never
		return 0
	}
	return full(n+1) + 1
}

//go:noinline
func framed(d *descent, n int, a []byte) int {
	for i := 0; i < len(a); i += 512 {
		a[i] = byte(n + i)
	}
	r := d.next(n)
	for i := 0; i < len(a); i += 512 {
		if a[i] != byte(n+i) {
			panic("a frame has changed")
		}
	}
	return r
}

//go:noinline
func generic[T comparable](d *descent, n int, v T) int {
	w := v
	r := d.next(n)
	if w != v {
		panic("a frame has changed")
	}
	return r
}

// next is one level.
//
//go:noinline
func (d *descent) next(n int) int {
	d.in++
	defer func() { d.out++ }()
	kind := d.kind
	if kind == len(descents) {
		kind = d.rnd.IntN(len(descents))
	}
	return descents[kind](d, n+1) + 1
}

// pass panics with the overflow that somebody has swallowed, or made err of.
func (d *descent) pass(err error) {
	var oe *guard.OverflowError
	if errors.As(err, &oe) {
		panic(oe)
	}
	if err := d.swallowed; err != nil {
		d.swallowed = nil
		panic(err)
	}
	if err != nil {
		panic(err)
	}
}

// require checks that each call's deferred call has run once, and that the
// channel is as it was.
func (d *descent) require(name string) {
	if d.in != d.out || d.in == 0 || len(d.ch) != 0 {
		panic(fmt.Sprintf("%s: %d calls, %d deferred calls, %d in the channel", name, d.in, d.out, len(d.ch)))
	}
}

// shifted begins the descent some multiple of 16 bytes lower.
func (d *descent) shifted(t *ctx.Task) {
	shifts[d.rnd.IntN(len(shifts))](d)
}

var shifts = [...]func(d *descent){
	func(d *descent) { d.next(0) },
	func(d *descent) { var a [16]byte; shift(d, a[:]) },
	func(d *descent) { var a [32]byte; shift(d, a[:]) },
	func(d *descent) { var a [48]byte; shift(d, a[:]) },
	func(d *descent) { var a [64]byte; shift(d, a[:]) },
	func(d *descent) { var a [80]byte; shift(d, a[:]) },
	func(d *descent) { var a [96]byte; shift(d, a[:]) },
	func(d *descent) { var a [112]byte; shift(d, a[:]) },
	func(d *descent) { var a [208]byte; shift(d, a[:]) },
	func(d *descent) { var a [400]byte; shift(d, a[:]) },
	func(d *descent) { var a [784]byte; shift(d, a[:]) },
}

//go:noinline
func shift(d *descent, a []byte) {
	a[0] = 1
	d.next(0)
	a[len(a)-1]++
}
