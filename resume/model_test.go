package resume_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/stackhop/stackhop/resume"
)

// What the body of a modelled task does next.
type order int

const (
	toSuspend order = iota
	toYield
	toTransfer // to the handle aimed at, into the owner's hands
	toHandOver // the same, under a handle of its own
	toEnd
)

// A subject is a task, and what the model knows of it.
type subject struct {
	task
	next order
	aim  resume.Handle
	last error // what the last transfer answered

	state  string // "armed", "yielded", "done"
	handle resume.Handle
}

func (s *subject) body(t *task) {
	for {
		switch s.next {
		case toSuspend:
			t.slot.Suspend(resume.PublishFunc(s.publish))
		case toYield:
			s.state = "yielded"
			t.slot.Yield()
		case toTransfer:
			s.state = "yielded"
			s.last = s.aim.Transfer()
		case toHandOver:
			s.last = s.aim.TransferPublish(s.publish)
		case toEnd:
			s.state = "done"
			return
		}
		if s.last != nil { // a stale aim: the task still runs
			s.last, s.next = nil, toYield
		}
	}
}

func (s *subject) publish(h resume.Handle) { s.state, s.handle = "armed", h }

// TestHandlesAgainstModel does random things to a few tasks that serve again
// and again, and keeps every handle it ever saw: R6, exactly the newest handle
// of a task that is suspended under it is live.
func TestHandlesAgainstModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		subjects := make([]*subject, 3)
		for i := range subjects {
			subjects[i] = &subject{state: "done"}
		}
		var seen []resume.Handle
		owner := map[resume.Handle]*subject{}
		note := func() {
			for _, s := range subjects {
				if _, ok := owner[s.handle]; !ok && s.handle != (resume.Handle{}) {
					owner[s.handle] = s
					seen = append(seen, s.handle)
				}
			}
		}
		live := func(h resume.Handle) bool {
			s := owner[h]
			return s != nil && s.state == "armed" && s.handle == h
		}
		command := func(s *subject) {
			s.next = order(rapid.IntRange(int(toSuspend), int(toEnd)).Draw(rt, "order"))
			if len(seen) != 0 {
				s.aim = rapid.SampledFrom(seen).Draw(rt, "aim")
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"begin": func(rt *rapid.T) {
				s := rapid.SampledFrom(subjects).Draw(rt, "subject")
				if s.state != "done" {
					rt.Skip("not done")
				}
				command(s)
				s.start(t, s.body)
			},
			"resume by handle": func(rt *rapid.T) {
				if len(seen) == 0 {
					rt.Skip("no handle yet")
				}
				h := rapid.SampledFrom(seen).Draw(rt, "handle")
				s, want := owner[h], live(h)
				if want {
					command(s)
				}
				if err := h.Resume(); want {
					require.NoError(rt, err)
				} else {
					require.ErrorIs(rt, err, resume.ErrStale)
				}
			},
			"resume by owner": func(rt *rapid.T) {
				s := rapid.SampledFrom(subjects).Draw(rt, "subject")
				want := map[string]error{"armed": resume.ErrNotYielded, "done": resume.ErrDone}[s.state]
				if want == nil {
					command(s)
				}
				require.ErrorIs(rt, s.slot.Resume(), want)
			},
			"": func(rt *rapid.T) {
				note()
				for _, h := range seen {
					require.Equal(rt, live(h), h.Live())
				}
				for _, s := range subjects {
					require.Equal(rt, s.state == "done", s.slot.Done())
				}
			},
		})
	})
}
