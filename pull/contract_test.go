package pull_test

import (
	"errors"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/internal/testsupport"
	"github.com/stackhop/stackhop/pull"
)

func count(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

var errBoom = errors.New("boom")

type clause struct {
	clause string
	run    func(r *record, pull pullFunc)
}

// contract has a row for each clause. What a row records must be the same for
// iter.Pull and for every stand-in.
var contract = []clause{
	{"values in order, then zero and false for ever", func(r *record, pull pullFunc) {
		next, stop := pull(count(3))
		for range 6 {
			r.next(next)
		}
		r.stop(stop)
	}},
	{"nothing runs before the first next", func(r *record, pull pullFunc) {
		next, stop := pull(func(yield func(int) bool) { r.add("began"); yield(1); r.add("ended") })
		r.add("pulled")
		r.next(next)
		r.stop(stop)
	}},
	{"stop before the first next runs nothing", func(r *record, pull pullFunc) {
		next, stop := pull(func(func(int) bool) { r.add("ran") })
		r.stop(stop)
		r.next(next)
		r.stop(stop)
	}},
	{"early stop: yield answers false, deferred calls run, in stop", func(r *record, pull pullFunc) {
		next, stop := pull(func(yield func(int) bool) {
			defer r.add("deferred")
			r.add("yield: %v", yield(1))
		})
		r.next(next)
		r.stop(stop)
		r.stop(stop)
		r.next(next)
	}},
	{"yield after it answered false answers false again", func(r *record, pull pullFunc) {
		next, stop := pull(func(yield func(int) bool) {
			for range 3 {
				r.add("yield: %v", yield(1))
			}
		})
		r.next(next)
		r.stop(stop)
		r.next(next)
	}},
	{"empty", func(r *record, pull pullFunc) {
		next, stop := pull(count(0))
		r.next(next)
		r.stop(stop)
	}},
	{"next in the iterator panics, and the iteration goes on", func(r *record, pull pullFunc) {
		var next func() (int, bool)
		next, stop := pull(func(yield func(int) bool) {
			func() {
				defer func() { r.add("recovered %v", normal(fmt.Sprint(recover())) != "<nil>") }()
				next()
			}()
			yield(7)
		})
		r.next(next)
		r.stop(stop)
	}},
	{"next in the iterator panics out of next", func(r *record, pull pullFunc) {
		var next func() (int, bool)
		next, stop := pull(func(func(int) bool) { next() })
		r.next(next)
		r.next(next)
		r.stop(stop)
	}},
	{"yield of a stranger while nothing is wanted panics", func(r *record, pull pullFunc) {
		var kept func(int) bool
		next, stop := pull(func(yield func(int) bool) { kept = yield; yield(1) })
		r.next(next)
		r.add("yield: %s", normal(outcome(func() { kept(2) })))
		r.next(next)
		r.add("late yield: %s", normal(outcome(func() { r.add("answers %v", kept(2)) })))
		r.stop(stop)
	}},
	{"a panic comes out of next, once, with its value", func(r *record, pull pullFunc) {
		next, stop := pull(func(yield func(int) bool) { yield(1); panic(errBoom) })
		r.next(next)
		defer func() { r.add("same value: %v", recover() == any(errBoom)); r.next(next); r.stop(stop) }()
		next()
	}},
	{"a panic comes out of stop", func(r *record, pull pullFunc) {
		next, stop := pull(func(yield func(int) bool) {
			for yield(1) {
			}
			panic(errBoom)
		})
		r.next(next)
		r.stop(stop)
		r.stop(stop)
		r.next(next)
	}},
	{"a panic that the iterator recovers stays there", func(r *record, pull pullFunc) {
		next, stop := pull(func(yield func(int) bool) {
			func() {
				defer func() { r.add("recovered %v", recover()) }()
				panic(errBoom)
			}()
			yield(1)
		})
		r.next(next)
		r.next(next)
		r.stop(stop)
	}},
	{"yield in a deferred call of a panic", func(r *record, pull pullFunc) {
		next, stop := pull(func(yield func(int) bool) {
			defer func() { yield(2); r.add("recovered %v", recover()); yield(3) }()
			yield(1)
			panic(errBoom)
		})
		for range 5 {
			r.next(next)
		}
		r.stop(stop)
	}},
	{"panic(nil)", func(r *record, pull pullFunc) {
		next, stop := pull(func(func(int) bool) { panic(nil) })
		r.next(next)
		r.stop(stop)
	}},
	{"a runtime error", func(r *record, pull pullFunc) {
		next, stop := pull(func(yield func(int) bool) { var none []int; yield(none[min(len(none), 1)]) })
		r.next(next)
		r.stop(stop)
	}},
	{"a nil iterator", func(r *record, pull pullFunc) {
		next, stop := pull(nil)
		r.next(next)
		r.stop(stop)
	}},
	{"Goexit comes out of next", func(r *record, pull pullFunc) {
		next, stop := pull(func(yield func(int) bool) {
			defer r.add("deferred")
			yield(1)
			runtime.Goexit()
		})
		for range 3 {
			r.next(next)
		}
		r.stop(stop)
	}},
	{"Goexit comes out of stop", func(r *record, pull pullFunc) {
		next, stop := pull(func(yield func(int) bool) {
			for yield(1) {
			}
			runtime.Goexit()
		})
		r.next(next)
		r.stop(stop)
		r.next(next)
		r.stop(stop)
	}},
	{"yield in a deferred call of a Goexit", func(r *record, pull pullFunc) {
		next, stop := pull(func(yield func(int) bool) {
			defer yield(2)
			runtime.Goexit()
		})
		for range 3 {
			r.next(next)
		}
		r.stop(stop)
	}},
	{"a panic during a Goexit", func(r *record, pull pullFunc) {
		next, stop := pull(func(yield func(int) bool) {
			defer func() { panic(errBoom) }()
			runtime.Goexit()
		})
		r.next(next)
		r.next(next)
		r.stop(stop)
	}},
	{"next after the iterator's own deferred stop", func(r *record, pull pullFunc) {
		var stop func()
		next, stop := pull(func(yield func(int) bool) { yield(1); yield(2) })
		func() {
			defer stop()
			r.next(next)
		}()
		r.next(next)
	}},
	{"from one goroutine to another", func(r *record, pull pullFunc) {
		next, stop := pull(count(50))
		for range 20 {
			r.next(next) // each call is on a goroutine of its own
			v, ok := next()
			r.add("here: %d %v", v, ok)
		}
		r.stop(stop)
	}},
	{"range over func between", func(r *record, pull pullFunc) {
		next, stop := pull(func(yield func(int) bool) {
			for v := range count(10) {
				defer r.add("defer %d", v)
				if v%2 == 0 && !yield(v) {
					return
				}
			}
		})
		for range 3 {
			r.next(next)
		}
		r.stop(stop)
	}},
	{"two at a time, zipped", func(r *record, pull pullFunc) {
		nextA, stopA := pull(count(4))
		nextB, stopB := pull(count(2))
		for range 4 {
			r.next(nextA)
			r.next(nextB)
		}
		r.stop(stopB)
		r.stop(stopA)
	}},
	{"one iterator pulls from another", func(r *record, pull pullFunc) {
		next, stop := pull(evens(pull, 6))
		for range 5 {
			r.next(next)
		}
		r.stop(stop)
	}},
	{"a panic through nested iterators", func(r *record, pull pullFunc) {
		next, stop := pull(evens(pull, -1))
		for range 5 {
			r.next(next)
		}
		r.stop(stop)
	}},
	{"a body that sorts, formats and allocates", func(r *record, pull pullFunc) {
		next, stop := pull(func(yield func(int) bool) {
			s := []int{5, 3, 9, 1}
			slices.SortFunc(s, func(a, b int) int {
				if !yield(a) {
					runtime.Goexit()
				}
				return a - b
			})
			yield(len(fmt.Sprint(s)))
		})
		for range 12 {
			r.next(next)
		}
		r.stop(stop)
	}},
	{"collections while it is suspended", func(r *record, pull pullFunc) {
		next, stop := pull(func(yield func(int) bool) {
			held := make([]*int, 100)
			for i := range held {
				held[i] = new(int)
				*held[i] = i
				if i%10 == 0 && !yield(i) {
					break
				}
			}
			sum := 0
			for _, p := range held {
				if p != nil {
					sum += *p
				}
			}
			yield(sum)
		})
		for range 12 {
			r.next(next)
			collect()
		}
		r.stop(stop)
	}},
}

// parting rows leave a goroutine behind for ever, with iter.Pull too.
var parting = []clause{
	{"stop in the iterator hands over, for good", func(r *record, pull pullFunc) {
		var stop func()
		next, stop := pull(func(yield func(int) bool) {
			if yield(4) {
				stop()
				r.add("not reached")
			}
		})
		for range 3 {
			r.next(next)
		}
		r.stop(stop)
	}},
	{"stop in the iterator before any value", func(r *record, pull pullFunc) {
		var stop func()
		next, stop := pull(func(func(int) bool) { stop() })
		r.next(next)
		r.next(next)
	}},
}

// evens pulls the values below n and passes on every other; n < 0 panics amid.
func evens(pull pullFunc, n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		inner := count(n)
		if n < 0 {
			inner = func(yield func(int) bool) { yield(0); panic(errBoom) }
		}
		next, stop := pull(inner)
		defer stop()
		for v, ok := next(); ok; v, ok = next() {
			if v%2 == 0 && !yield(v) {
				return
			}
		}
	}
}

func TestContractIsThatOfIterPull(t *testing.T) {
	for _, row := range contract {
		t.Run(row.clause, func(t *testing.T) {
			var want record
			row.run(&want, iter.Pull[int])
			require.NotEmpty(t, want)
			for _, s := range append(reference()[1:], standIns(t)...) {
				var got record
				row.run(&got, s.pull)
				require.Equal(t, want, got, s.name)
			}
		})
	}
}

var _ = testsupport.Child("parting", func() {
	for _, row := range parting {
		var want, got record
		row.run(&want, iter.Pull[int])
		row.run(&got, pull.Pull[int])
		if !slices.Equal(want, got) {
			fmt.Printf("%s: got %q, want %q\n", row.clause, got, want)
			return
		}
	}
	fmt.Println("ok")
})

func TestIteratorThatStopsItselfIsLeftAsByIterPull(t *testing.T) {
	testsupport.RunChild(t, "parting", time.Minute).RequireOK(t)
}

func TestAgainAndAgainOnOneStack(t *testing.T) {
	for _, s := range standIns(t) {
		t.Run(s.name, func(t *testing.T) {
			ends := []func(){func() {}, func() { panic("p") }, runtime.Goexit}
			for i := range 300 {
				next, stop := s.pull(func(yield func(int) bool) {
					yield(i)
					ends[i%3]()
				})
				v, ok := next()
				require.True(t, ok)
				require.Equal(t, i, v)
				require.Equal(t, []string{"returned", "panic: p", "Goexit"}[i%3], outcome(stop))
			}
		})
	}
}
