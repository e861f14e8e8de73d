package pull_test

import (
	"fmt"
	"iter"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// A step is what an iterator does next. It is plain data, so that one script
// runs on every subject.
type step struct {
	kind  string // yield, panic, recover, goexit, nested, defer, next, end
	value int
	inner []step
	pulls int // of nested: values to take before stop
}

func steps(depth int) *rapid.Generator[[]step] {
	return rapid.Custom(func(t *rapid.T) []step {
		kinds := []string{"yield", "yield", "yield", "yield", "yield", "panic", "recover", "goexit", "defer", "next", "stubborn", "end"}
		if depth > 0 {
			kinds = append(kinds, "nested", "nested")
		}
		script := make([]step, rapid.IntRange(0, 6).Draw(t, "len"))
		for i := range script {
			s := step{kind: rapid.SampledFrom(kinds).Draw(t, "kind"), value: rapid.IntRange(0, 9).Draw(t, "value")}
			if s.kind == "nested" {
				s.inner = steps(depth-1).Draw(t, "inner")
				s.pulls = rapid.IntRange(0, 5).Draw(t, "pulls")
			}
			script[i] = s
		}
		return script
	})
}

// play is the iterator that does what the script says.
func play(script []step, r *record, pull pullFunc, self *func() (int, bool)) iter.Seq[int] {
	return func(yield func(int) bool) {
		defer r.add("left")
		for _, s := range script {
			switch s.kind {
			case "yield":
				if !yield(s.value) {
					r.add("told to stop")
					return
				}
			case "stubborn":
				r.add("yield %v", yield(s.value))
			case "panic":
				panic(fmt.Sprint("p", s.value))
			case "recover":
				func() {
					defer func() { r.add("recovered %v", recover()) }()
					yield(s.value)
					panic(s.value)
				}()
			case "goexit":
				runtime.Goexit()
			case "defer":
				defer func() { r.add("deferred yield %v", yield(s.value)) }()
			case "next":
				func() {
					defer func() { r.add("next inside: %v", recover() != nil) }()
					_, ok := (*self)()
					r.add("%v", ok)
				}()
			case "nested":
				var inner func() (int, bool)
				next, stop := pull(play(s.inner, r, pull, &inner))
				inner = next
				defer stop()
				for range s.pulls {
					v, ok := next()
					r.add("inner %d %v", v, ok)
					if ok && !yield(v+10) {
						return
					}
				}
			case "end":
				return
			}
		}
	}
}

func TestRandomProgramsAgreeWithIterPull(t *testing.T) {
	all := standIns(t)
	rapid.Check(t, func(rt *rapid.T) {
		script := steps(2).Draw(rt, "script")
		ops := rapid.SliceOfN(rapid.SampledFrom([]string{"next", "next", "next", "next", "stop", "gc"}), 1, 12).Draw(rt, "ops")
		run := func(pull pullFunc) record {
			var r record
			var self func() (int, bool)
			next, stop := pull(play(script, &r, pull, &self))
			self = next
			for _, op := range ops {
				switch op {
				case "next":
					r.next(next)
				case "stop":
					r.stop(stop)
				case "gc":
					runtime.GC()
				}
			}
			r.stop(stop)
			return r
		}
		want := run(iter.Pull[int])
		for _, s := range all {
			require.Equal(rt, want, run(s.pull), s.name)
		}
	})
}
