package join_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/join"
	"github.com/stackhop/stackhop/mmapstack"
	"github.com/stackhop/stackhop/resume"
)

// A place is a leaf for one body at a time.
type place struct{ h resume.Handle }

func (p *place) Publish(h resume.Handle) { p.h = h }

func (p *place) wait(t *ctx.Task) error { return t.Park(p) }

func TestJoinsAllocateNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("race builds: sync.Pool drops at random, and the instrumentation allocates")
	}
	if portable() {
		t.Skip("portable backend: hand-over by channels allocates in the runtime")
	}
	mmapstack.TraceMakers(false) // it notes each Get
	defer mmapstack.TraceMakers(true)
	s := mapped(t, 256<<10)
	var a, b, c place
	wa, wb, wc := body(a.wait), body(b.wait), body(c.wait)
	nested := func(*ctx.Task) error { return join.All(wb, wc) }
	ready := fails(nil)
	ch := make(chan int, 1)
	var v int
	for _, size := range []join.Size{0, 8 << 10} {
		for name, f := range map[string]func(){
			"all of two":            func() { _ = size.All(wa, wb) },
			"any of two":            func() { _, _ = size.Any(wa, wb) },
			"race of two":           func() { _, _ = size.Race(wa, wb) },
			"select of three":       func() { _, _ = size.Select(join.Body(wa), join.Body(wb), join.Body(wc)) },
			"select with a timer":   func() { _, _ = size.Select(join.Body(wa), join.After(time.Hour), join.Body(wb)) },
			"nested":                func() { _ = size.All(wa, nested) },
			"all of two at once":    func() { _ = size.All(ready, ready) },
			"select one at once":    func() { _, _ = size.Select(join.Body(wa), join.Body(ready)) },
			"receive what is there": func() { ch <- 1; _, _ = size.Select(join.Body(wa), join.Recv(ch, &v)) },
		} {
			allocs := -1.0
			p := spawn(t, func(*ctx.Task) { allocs = testing.AllocsPerRun(100, f) }, ctx.WithStack(s))
			for !p.Done() { // each wait of f is for a, then b, then c, as far as they are there
				_ = a.h.Resume()
				_ = b.h.Resume()
				_ = c.h.Resume()
			}
			ended(t, p)
			require.Zero(t, allocs, "%s, size %d", name, size)
		}
	}
}
