package pull_test

import (
	"fmt"
	"iter"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/internal/testsupport"
	"github.com/stackhop/stackhop/mmapstack"
	"github.com/stackhop/stackhop/pull"
)

func TestMain(m *testing.M) { testsupport.Main(m) }

// asm reports whether the subjects are more than iter.Pull itself.
func asm() bool { return stackhop.Backend().Name == "asm" }

// A pullFunc is a subject: iter.Pull or something that stands in for it.
type pullFunc func(iter.Seq[int]) (next func() (int, bool), stop func())

type subject struct {
	name string
	pull pullFunc
}

// pairs makes a Seq2 of a Seq, and onlyKeys the way back, so that one table
// serves both kinds.
func pairs(seq iter.Seq[int]) iter.Seq2[int, string] {
	if seq == nil {
		return nil
	}
	return func(yield func(int, string) bool) {
		seq(func(v int) bool { return yield(v, fmt.Sprint(v)) })
	}
}

func onlyKeys(next func() (int, string, bool), stop func()) (func() (int, bool), func()) {
	return func() (int, bool) {
		k, v, ok := next()
		if want := fmt.Sprint(k); ok && v != want || !ok && v != "" {
			panic(fmt.Sprintf("key %d came with %q", k, v))
		}
		return k, ok
	}, stop
}

// reference is iter.Pull, and iter.Pull2 in the same guise.
func reference() []subject {
	return []subject{
		{"iter.Pull", iter.Pull[int]},
		{"iter.Pull2", func(seq iter.Seq[int]) (func() (int, bool), func()) {
			return onlyKeys(iter.Pull2(pairs(seq)))
		}},
	}
}

// standIns is everything in this package.
func standIns(tb testing.TB) []subject {
	all := []subject{
		{"pull.Pull", pull.Pull[int]},
		{"pull.Pull2", func(seq iter.Seq[int]) (func() (int, bool), func()) {
			return onlyKeys(pull.Pull2(pairs(seq)))
		}},
	}
	pool, err := mmapstack.NewPool(0)
	if err != nil {
		return all // no mapped stacks on this system
	}
	tb.Cleanup(func() {
		require.Zero(tb, pool.Stats().InUse, "stacks that did not come back")
		require.NoError(tb, pool.Close())
	})
	var own []*mmapstack.Stack
	tb.Cleanup(func() {
		for _, s := range own {
			require.NoError(tb, s.Close())
		}
	})
	return append(all,
		subject{"pull.PullFrom", func(seq iter.Seq[int]) (func() (int, bool), func()) {
			next, stop, err := pull.PullFrom(pool, seq)
			require.NoError(tb, err)
			return next, stop
		}},
		subject{"pull.Pull2From", func(seq iter.Seq[int]) (func() (int, bool), func()) {
			next, stop, err := pull.Pull2From(pool, pairs(seq))
			require.NoError(tb, err)
			return onlyKeys(next, stop)
		}},
		subject{"pull.PullOn", func(seq iter.Seq[int]) (func() (int, bool), func()) {
			for _, s := range own {
				if next, stop, err := pull.PullOn(s, seq); err == nil {
					return next, stop
				} else {
					require.ErrorIs(tb, err, stackhop.ErrNotDone)
				}
			}
			s, err := mmapstack.New(0)
			require.NoError(tb, err)
			own = append(own, s)
			next, stop, err := pull.PullOn(s, seq)
			require.NoError(tb, err)
			return next, stop
		}},
	)
}

// outcome says how f ended: "returned", "panic: …" or "Goexit". It runs f on a
// goroutine of its own.
func outcome(f func()) (how string) {
	how = "Goexit"
	exit := make(chan struct{})
	go func() {
		defer close(exit)
		defer func() {
			if v := recover(); v != nil {
				how = fmt.Sprintf("panic: %v", v)
			}
		}()
		f()
		how = "returned"
	}()
	<-exit
	// Only the package differs.
	return strings.ReplaceAll(strings.ReplaceAll(how, "iter.Pull2:", "Pull:"), "iter.Pull:", "Pull:")
}

func normal(how string) string {
	return strings.ReplaceAll(strings.ReplaceAll(how, "pull.Pull2:", "Pull:"), "pull.Pull:", "Pull:")
}

// A record is what happened, a line each.
type record []string

func (r *record) add(format string, args ...any) { *r = append(*r, fmt.Sprintf(format, args...)) }

func (r *record) next(next func() (int, bool)) {
	var v int
	var ok bool
	if how := normal(outcome(func() { v, ok = next() })); how != "returned" {
		r.add("next: %s", how)
		return
	}
	r.add("next: %d %v", v, ok)
}

func (r *record) stop(stop func()) { r.add("stop: %s", normal(outcome(stop))) }

func collect() {
	runtime.GC()
	runtime.GC()
}
