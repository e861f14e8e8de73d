package mmapstack

import (
	"runtime"
	"strconv"
	"strings"
	"sync"
)

var makers struct {
	sync.Mutex
	of map[*Stack][]uintptr
}

// TraceMakers has every stack from now on remember who made it or got it, for
// Live to tell. It is a debugging aid that makes Get and Put slow. false
// forgets all.
func TraceMakers(on bool) {
	makers.Lock()
	defer makers.Unlock()
	makers.of = nil
	if on {
		makers.of = make(map[*Stack][]uintptr)
	}
	setWatch(watchMakers, on)
}

// A Maker tells who has a stack.
type Maker struct {
	Stack string // its kind, size and address
	Trace string // one line per frame, innermost first
}

// Live returns the stacks that were made or got since TraceMakers(true), and
// not closed or put since.
func Live() []Maker {
	makers.Lock()
	defer makers.Unlock()
	list := make([]Maker, 0, len(makers.of))
	for s, pcs := range makers.of {
		var b strings.Builder
		frames := runtime.CallersFrames(pcs)
		for more := true; more; {
			var f runtime.Frame
			f, more = frames.Next()
			b.WriteString(f.Function + " " + f.File + ":" + strconv.Itoa(f.Line) + "\n")
		}
		list = append(list, Maker{s.String(), b.String()})
	}
	return list
}

// noteMaker remembers the caller of taken's caller as the one who has s.
func noteMaker(s *Stack) {
	pcs := make([]uintptr, 32)
	pcs = pcs[:runtime.Callers(4, pcs)]
	makers.Lock()
	defer makers.Unlock()
	if makers.of != nil {
		makers.of[s] = pcs
	}
}

func forgetMaker(s *Stack) {
	makers.Lock()
	defer makers.Unlock()
	delete(makers.of, s)
}
