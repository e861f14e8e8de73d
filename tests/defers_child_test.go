package tests

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"runtime"
	"sync"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/guard"
	"github.com/stackhop/stackhop/internal/testsupport"
	"github.com/stackhop/stackhop/mmapstack"
)

// A deferrer counts defer statements that were executed, and the calls that ran.
type deferrer struct {
	in, out int
	leaf    int // what is done between the defer statement and the end
	mu      sync.Mutex
}

//go:noinline
func (d *deferrer) bump() { d.out++ }

//go:noinline
func (d *deferrer) add(n int) { d.out += n }

//go:noinline
func (d *deferrer) Close() error { d.out++; return nil }

// bumpWide has a frame that is larger than what its caller has left.
//
//go:noinline
func (d *deferrer) bumpWide() {
	var a [3000]byte
	a[d.in%len(a)] = 1
	d.out += int(a[d.in%len(a)])
}

type big struct {
	d *deferrer
	n [40]int
}

//go:noinline
func bumpBig(b big) { b.d.out += b.n[39] }

//go:noinline
func bumpGeneric[T any](d *deferrer, _ T) { d.out++ }

var current *deferrer

//go:noinline
func bumpCurrent() { current.out++ }

type (
	embedsValue   struct{ closer }
	embedsPointer struct{ *deferrer }
	embedsIface   struct{ io.Closer }
	closer        struct{ d *deferrer }
)

func (c closer) Close() error { c.d.out++; return nil }

// deferForms are the forms of a defer statement. Each counts in behind the statement.
var deferForms = []struct {
	name string
	run  func(d *deferrer)
}{
	{"closure", func(d *deferrer) { defer func() { d.out++ }(); d.in++; d.more() }},
	{"closure in a closure", func(d *deferrer) {
		func() {
			defer func() { d.out++ }()
			d.in++
			func() {
				defer func() { d.out++ }()
				d.in++
				d.more()
			}()
			d.more()
		}()
	}},
	{"closure that calls", func(d *deferrer) { defer func() { d.bump() }(); d.in++; d.more() }},
	{"function with an argument", func(d *deferrer) { defer d.add(1); d.in++; d.more() }},
	{"function without", func(d *deferrer) { current = d; defer bumpCurrent(); d.in++; d.more() }},
	{"function with large arguments", func(d *deferrer) { defer bumpBig(big{d: d, n: [40]int{39: 1}}); d.in++; d.more() }},
	{"wide function", func(d *deferrer) { defer d.bumpWide(); d.in++; d.more() }},
	{"wide closure", func(d *deferrer) {
		defer func() {
			var a [3000]byte
			a[d.in%len(a)] = 1
			d.out += int(a[d.in%len(a)])
		}()
		d.in++
		d.more()
	}},
	{"generic function", func(d *deferrer) { defer bumpGeneric(d, "x"); d.in++; d.more() }},
	{"method", func(d *deferrer) { defer d.bump(); d.in++; d.more() }},
	{"method value", func(d *deferrer) { f := d.bump; defer f(); d.in++; d.more() }},
	{"method expression", func(d *deferrer) { f := (*deferrer).bump; defer f(d); d.in++; d.more() }},
	{"interface", func(d *deferrer) { closeLater(d, d) }},
	{"interface, value receiver", func(d *deferrer) { closeLater(d, &closer{d}) }},
	{"interface, embedded value", func(d *deferrer) { closeLater(d, &embedsValue{closer{d}}) }},
	{"interface, embedded pointer", func(d *deferrer) { closeLater(d, embedsPointer{d}) }},
	{"interface, embedded interface", func(d *deferrer) { closeLater(d, embedsIface{d}) }},
	{"interface, method value", func(d *deferrer) { var c io.Closer = &closer{d}; f := c.Close; defer f(); d.in++; d.more() }},
	{"reflection", func(d *deferrer) { defer reflect.ValueOf(d.bump).Call(nil); d.in++; d.more() }},
	{"reflect.MakeFunc", func(d *deferrer) {
		f := reflect.MakeFunc(reflect.TypeOf(d.bump), func([]reflect.Value) []reflect.Value { d.out++; return nil }).Interface().(func())
		defer f()
		d.in++
		d.more()
	}},
	{"unlock", func(d *deferrer) {
		func() {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.more()
		}()
	}},
	{"loop", func(d *deferrer) {
		for range 3 {
			defer d.bump()
			d.in++
		}
		d.more()
	}},
	{"range over a function", func(d *deferrer) {
		for range func(yield func(int) bool) { _ = yield(1) && yield(2) } {
			defer d.bump()
			d.in++
		}
		d.more()
	}},
	{"conditional", func(d *deferrer) {
		if d.leaf != 1 {
			defer d.bump()
			d.in++
		}
		if d.leaf == 1 {
			defer func() { d.out++ }()
			d.in++
		}
		d.more()
	}},
	{"eight", func(d *deferrer) {
		defer d.bump()
		d.in++
		defer d.bump()
		d.in++
		defer func() { d.out++ }()
		d.in++
		defer d.add(1)
		d.in++
		defer d.bumpWide()
		d.in++
		defer closeQuietly(d)
		d.in++
		defer d.bump()
		d.in++
		defer func() { d.bump() }()
		d.in++
		d.more()
	}},
	{"nine", func(d *deferrer) {
		defer d.bump()
		d.in++
		defer d.bump()
		d.in++
		defer func() { d.out++ }()
		d.in++
		defer d.add(1)
		d.in++
		defer d.bumpWide()
		d.in++
		defer closeQuietly(d)
		d.in++
		defer d.bump()
		d.in++
		defer func() { d.bump() }()
		d.in++
		defer d.bump()
		d.in++
		d.more()
	}},
	{"within a deferred call", func(d *deferrer) {
		defer func() {
			defer d.bump()
			d.in++
			defer func() { d.out++ }()
			d.in++
			d.more()
		}()
		d.more()
	}},
	{"recovers", func(d *deferrer) {
		defer d.bump()
		d.in++
		func() {
			defer func() {
				d.out++
				if v := recover(); v != nil {
					panic(v)
				}
			}()
			d.in++
			d.more()
		}()
	}},
	{"own panic", func(d *deferrer) {
		for range 3 {
			d.ownPanic()
		}
	}},
	{"panic within a Goexit", func(d *deferrer) {
		gone := false
		defer d.bump()
		d.in++
		func() {
			defer func() {
				d.out++
				_ = recover()
			}()
			d.in++
			func() {
				defer func() { d.out++; panic(d) }()
				d.in++
				if d.leaf != 0 { // more has a large frame
					d.more()
				}
				gone = true
				runtime.Goexit()
			}()
		}()
		if gone {
			panic("a Goexit has returned")
		}
	}},
	{"recovered", func(d *deferrer) {
		defer d.bump()
		d.in++
		func() {
			defer func() {
				d.out++
				_ = recover()
			}()
			d.in++
			d.more()
		}()
		d.more()
	}},
}

// ownPanic panics, and recovers from that.
//
//go:noinline
func (d *deferrer) ownPanic() {
	defer func() {
		d.out++
		if v := recover(); v != d {
			panic(v)
		}
	}()
	d.in++
	if d.leaf != 0 { // more has a large frame
		d.more()
	}
	panic(d)
}

//go:noinline
func closeLater(d *deferrer, c io.Closer) {
	defer c.Close()
	d.in++
	d.more()
}

//go:noinline
func closeQuietly(c io.Closer) { _ = c.Close() }

// more is what a function does behind its defer statement.
func (d *deferrer) more() {
	switch d.leaf {
	case 1:
		d.leafOf(8)
	case 2:
		var a [1000]byte
		d.touchIn(a[:])
	case 3:
		sink += full(d.in)
	}
}

//go:noinline
func (d *deferrer) leafOf(n int) {
	if n > 0 {
		d.leafOf(n - 1)
	}
}

//go:noinline
func (d *deferrer) touchIn(a []byte) { a[d.in%len(a)]++ }

var _ = testsupport.Child("defers", func() {
	step := envInt(overflowCountEnv) // each depth, each second, …
	pool, err := guard.NewPool(guard.Growing, 32<<10)
	check(err)
	runs, overflows, lost := 0, 0, map[string]int{}
	stop := observeAll()
	for _, form := range deferForms {
		for leaf := range 4 {
			for depth := 0; ; depth += step {
				d := &deferrer{leaf: leaf}
				reached, err := d.at(pool, depth, form.run)
				runs++
				if err != nil {
					overflows++
				}
				locked := !d.mu.TryLock()
				if d.in != d.out || locked {
					lost[form.name]++
					if lost[form.name] == 1 {
						fmt.Printf("%s, leaf %d, depth %d: %d deferred, %d calls, locked: %v\n", form.name, leaf, depth, d.in, d.out, locked)
					}
				}
				if !reached {
					break // the way there was too long
				}
			}
		}
	}
	stop()
	fmt.Println(runs, "runs,", overflows, "overflows, lost:", lost)
	check(pool.Close())
	if st := guard.Stats(); len(lost) != 0 || st.Forced != 0 {
		panic(fmt.Sprintf("deferred calls were lost, %+v", st))
	}
	fmt.Println("ok")
})

// at calls run on a new task, 16 bytes deeper for each depth.
func (d *deferrer) at(pool *mmapstack.Pool, depth int, run func(d *deferrer)) (reached bool, err error) {
	task, err := ctx.Spawn(func(*ctx.Task) {
		pads[depth%len(pads)](depth/len(pads), func() {
			reached = true
			run(d)
		})
	}, ctx.WithPool(pool))
	check(err)
	err = task.Err()
	if err != nil && !errors.Is(err, guard.ErrOverflow) && !errors.Is(err, ctx.ErrGoexit) {
		panic(err)
	}
	return reached, err
}

var pads = [...]func(n int, then func()){
	down,
	func(n int, then func()) { var a [16]byte; padded(n, then, a[:]) },
	func(n int, then func()) { var a [32]byte; padded(n, then, a[:]) },
	func(n int, then func()) { var a [48]byte; padded(n, then, a[:]) },
	func(n int, then func()) { var a [64]byte; padded(n, then, a[:]) },
	func(n int, then func()) { var a [80]byte; padded(n, then, a[:]) },
	func(n int, then func()) { var a [96]byte; padded(n, then, a[:]) },
	func(n int, then func()) { var a [112]byte; padded(n, then, a[:]) },
	func(n int, then func()) { var a [128]byte; padded(n, then, a[:]) },
}

//go:noinline
func padded(n int, then func(), a []byte) {
	a[0] = 1
	down(n, then)
	a[len(a)-1]++
}

// down calls then with n more pairs of frames on the stack, of less than 144 bytes
// together.
//
//go:noinline
func down(n int, then func()) {
	var a [4]int
	if n == 0 {
		then()
		return
	}
	deeper4(n, then, &a)
}

//go:noinline
func deeper4(n int, then func(), a *[4]int) {
	a[n%4] = n
	down(n-1, then)
	a[n%4]++
}
