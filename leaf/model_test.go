package leaf_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/leaf"
	"github.com/stackhop/stackhop/resume"
)

// A party is one task of a model, and what became of its call.
type party struct {
	task *ctx.Task
	says string // what its call did, as it saw it

	want   string // what the model says it did
	homed  bool   // once served it goes on only when the depot lets it
	served bool   // has what it waits for, and is in the depot
	then   string // what it will say when it goes on
	weight int64
	lane   string
	value  int
	turn   int
}

// A stage has the parties of a model and the line they stand in.
type stage struct {
	t     *testing.T
	rt    *rapid.T
	all   []*party
	line  []*party
	depot depot
}

// enter spawns a party. The model puts it in the line, if it must wait.
func (s *stage) enter(p *party, call func() string) {
	p.homed = rapid.Bool().Draw(s.rt, "homed")
	s.all = append(s.all, p)
	var opts []ctx.Option
	if p.homed {
		opts = append(opts, ctx.WithHome(&s.depot))
	}
	p.task = spawn(s.t, func(*ctx.Task) { p.says = call() }, opts...)
}

// serve is what the model does with a party whose wait is over.
func (s *stage) serve(p *party, says string) {
	if p.homed {
		p.served, p.then = true, says
	} else {
		p.want = says
	}
}

// pick draws one that has not ended.
func (s *stage) pick() *party {
	var live []*party
	for _, p := range s.all {
		if !p.task.Done() {
			live = append(live, p)
		}
	}
	if len(live) == 0 {
		s.rt.Skip("nobody waits")
	}
	return rapid.SampledFrom(live).Draw(s.rt, "party")
}

// cancel cancels any, and reports whether it had been served.
func (s *stage) cancel(p *party) (served bool) {
	thread := rapid.SampledFrom([]func(func()){func(f func()) { f() }, elsewhere}).Draw(s.rt, "thread")
	thread(func() { noError(s.t, p.task.Cancel(errWhy)) })
	served = p.served
	p.served, p.want = false, ""
	s.line = slices.DeleteFunc(s.line, func(q *party) bool { return q == p })
	return served
}

// goOn lets one go on that is in the depot.
func (s *stage) goOn(rt *rapid.T) {
	if len(s.depot.hs) == 0 {
		rt.Skip("empty depot")
	}
	at := rapid.IntRange(0, len(s.depot.hs)-1).Draw(rt, "handle")
	h := s.depot.hs[at]
	s.depot.hs = slices.Delete(s.depot.hs, at, at+1)
	if !h.Live() {
		require.ErrorIs(rt, h.Resume(), resume.ErrStale)
		return
	}
	require.NoError(rt, h.Resume())
	for _, p := range s.all {
		if p.served && p.task.Done() { // it was this one
			p.served, p.want = false, p.then
			return
		}
	}
	rt.Fatal("nobody has gone on who was to")
}

// agree compares.
func (s *stage) agree(waiting int) {
	for i, p := range s.all {
		require.Equal(s.rt, p.want, p.says, "party %d", i)
	}
	require.Equal(s.rt, len(s.line), waiting)
}

// end cancels all that are left.
func (s *stage) end() {
	for i := len(s.all) - 1; i >= 0; i-- {
		if p := s.all[i]; !p.task.Done() {
			require.NoError(s.rt, p.task.Cancel(errWhy))
		}
	}
}

func TestTokensAgainstModel(t *testing.T) {
	for _, sub := range subjects {
		t.Run(sub.name, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				s, st, there := sub.make(), &stage{t: t, rt: rt}, 0
				defer st.end()
				give := func() {
					switch {
					case len(st.line) != 0:
						p := st.line[0]
						st.line = st.line[1:]
						st.serve(p, "got it")
					case s.try != nil:
						there++
					}
				}
				rt.Repeat(map[string]func(*rapid.T){
					"wait": func(rt *rapid.T) {
						p := new(party)
						if there != 0 {
							there--
							p.want = "got it"
						} else {
							st.line = append(st.line, p)
						}
						st.enter(p, func() string { return outcome("got it", s.wait()) })
					},
					"give": func(rt *rapid.T) {
						if s.oneOnly && (there != 0 || slices.ContainsFunc(st.all, func(p *party) bool { return p.served })) {
							rt.Skip("somebody has the only one")
						}
						give()
						s.give()
					},
					"try": func(rt *rapid.T) {
						if s.try == nil {
							rt.Skip("no such call")
						}
						require.Equal(rt, there != 0, s.try())
						there = max(there-1, 0)
					},
					"cancel": func(*rapid.T) {
						if st.cancel(st.pick()) && !s.spends {
							give()
						}
					},
					"go on": st.goOn,
					"":      func(*rapid.T) { st.agree(s.waiters()) },
				})
			})
		})
	}
}

func outcome(ok string, err error) string {
	if err != nil {
		return err.Error()
	}
	return ok
}

// Semaphore and RWMutex follow the same rules, if a writer is one who asks for
// all there is.
func TestWeightsAgainstModel(t *testing.T) {
	type weighted struct {
		size    int64
		weights []int64
		acquire func(int64) error
		try     func(int64) bool
		release func(int64)
		waiters func() int
	}
	for name, make := range map[string]func() weighted{
		"Semaphore": func() weighted {
			s := leaf.NewSemaphore(7)
			return weighted{7, []int64{0, 1, 2, 3, 5, 7}, s.Acquire, s.TryAcquire, s.Release, func() int { return leaf.SemaphoreWaiters(s) }}
		},
		"RWMutex": func() weighted {
			m, all := new(leaf.RWMutex), int64(most)
			return weighted{
				all, []int64{1, all},
				func(n int64) error {
					if n == all {
						return m.Lock()
					}
					return m.RLock()
				},
				func(n int64) bool {
					if n == all {
						return m.TryLock()
					}
					return m.TryRLock()
				},
				func(n int64) {
					if n == all {
						m.Unlock()
					} else {
						m.RUnlock()
					}
				},
				func() int { return leaf.RWMutexWaiters(m) },
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				w, st := make(), &stage{t: t, rt: rt}
				defer st.end()
				taken := int64(0)
				var held []int64
				fits := func(n int64) bool { return len(st.line) == 0 && taken+n <= w.size }
				dispatch := func() {
					for len(st.line) != 0 && taken+st.line[0].weight <= w.size {
						p := st.line[0]
						st.line = st.line[1:]
						taken += p.weight
						st.serve(p, "got it")
						if !p.homed {
							held = append(held, p.weight)
						}
					}
				}
				rt.Repeat(map[string]func(*rapid.T){
					"acquire": func(rt *rapid.T) {
						p := &party{weight: rapid.SampledFrom(w.weights).Draw(rt, "weight")}
						if fits(p.weight) {
							taken += p.weight
							held = append(held, p.weight)
							p.want = "got it"
						} else {
							st.line = append(st.line, p)
						}
						st.enter(p, func() string { return outcome("got it", w.acquire(p.weight)) })
					},
					"try": func(rt *rapid.T) {
						n := rapid.SampledFrom(w.weights).Draw(rt, "weight")
						ok := fits(n)
						require.Equal(rt, ok, w.try(n))
						if ok {
							taken += n
							held = append(held, n)
						}
					},
					"release": func(rt *rapid.T) {
						if len(held) == 0 {
							rt.Skip("nothing held")
						}
						at := rapid.IntRange(0, len(held)-1).Draw(rt, "which")
						n := held[at]
						held = slices.Delete(held, at, at+1)
						taken -= n
						dispatch()
						w.release(n)
					},
					"cancel": func(*rapid.T) {
						p := st.pick()
						if st.cancel(p) {
							taken -= p.weight
						}
						dispatch()
					},
					"go on": func(rt *rapid.T) {
						var before []*party
						for _, p := range st.all {
							if p.served {
								before = append(before, p)
							}
						}
						st.goOn(rt)
						for _, p := range before {
							if !p.served {
								held = append(held, p.weight)
							}
						}
					},
					"": func(*rapid.T) { st.agree(w.waiters()) },
				})
			})
		})
	}
}

func TestChanAgainstModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		capacity := rapid.IntRange(0, 3).Draw(rt, "capacity")
		c, st := leaf.NewChan[int](capacity), &stage{t: t, rt: rt}
		defer st.end()
		var buf, back []*party // values that wait in the channel: sent, and given back by receivers
		closed, turns, values := false, 0, 0
		first := func(lane string) *party {
			for _, p := range st.line {
				if p.lane == lane {
					st.line = slices.DeleteFunc(st.line, func(q *party) bool { return q == p })
					return p
				}
			}
			return nil
		}
		hand := func(r, v *party) {
			r.value, r.turn = v.value, v.turn
			st.serve(r, fmt.Sprint("received ", v.value))
		}
		send := func(v *party) (string, bool) {
			if closed {
				return "stackhop: closed", true
			}
			if r := first("recv"); r != nil {
				turns++
				v.turn = turns
				hand(r, v)
			} else if len(buf) < capacity {
				buf = append(buf, v)
			} else {
				return "", false
			}
			return "sent", true
		}
		recv := func() (v *party, says string, ok bool) {
			if len(back) != 0 {
				v, back = back[0], back[1:]
				return v, fmt.Sprint("received ", v.value), true
			}
			s := first("send")
			switch {
			case len(buf) != 0:
				v, buf = buf[0], buf[1:]
				if s != nil {
					buf = append(buf, &party{value: s.value})
				}
			case s != nil:
				v = &party{value: s.value}
			case closed:
				return nil, "stackhop: closed", true
			default:
				return nil, "", false
			}
			if s != nil {
				st.serve(s, "sent")
			}
			turns++
			v.turn = turns
			return v, fmt.Sprint("received ", v.value), true
		}
		rt.Repeat(map[string]func(*rapid.T){
			"send": func(*rapid.T) {
				values++
				p := &party{lane: "send", value: values}
				says, ok := send(&party{value: p.value})
				if p.want = says; !ok {
					st.line = append(st.line, p)
				}
				st.enter(p, func() string { return outcome("sent", c.Send(p.value)) })
			},
			"recv": func(*rapid.T) {
				p := &party{lane: "recv"}
				_, says, ok := recv()
				if p.want = says; !ok {
					st.line = append(st.line, p)
				}
				st.enter(p, func() string {
					v, err := c.Recv()
					return outcome(fmt.Sprint("received ", v), err)
				})
			},
			"try send": func(rt *rapid.T) {
				values++
				says, ok := send(&party{value: values})
				sent, err := c.TrySend(values)
				require.Equal(rt, ok && !closed, sent)
				if ok {
					require.Equal(rt, says, outcome("sent", err))
				}
			},
			"try recv": func(rt *rapid.T) {
				v, says, ok := recv()
				got, received, err := c.TryRecv()
				require.Equal(rt, v != nil, received)
				if ok {
					require.Equal(rt, says, outcome(fmt.Sprint("received ", got), err))
				}
			},
			"close": func(rt *rapid.T) {
				if rapid.IntRange(0, 5).Draw(rt, "really") != 0 {
					rt.Skip("not yet")
				}
				if closed {
					require.ErrorIs(rt, c.Close(), leaf.ErrClosed)
					return
				}
				closed = true
				for _, lane := range []string{"recv", "send"} {
					for p := first(lane); p != nil; p = first(lane) {
						st.serve(p, "stackhop: closed")
						p.lane = "closed"
					}
				}
				require.NoError(rt, c.Close())
			},
			"cancel": func(*rapid.T) {
				p := st.pick()
				if !st.cancel(p) || p.lane != "recv" {
					return
				}
				if r := first("recv"); r != nil {
					hand(r, p)
					return
				}
				at, _ := slices.BinarySearchFunc(back, p, func(a, b *party) int { return a.turn - b.turn })
				back = slices.Insert(back, at, p)
			},
			"go on": st.goOn,
			"": func(rt *rapid.T) {
				st.agree(leaf.ChanWaiters(c))
				require.Equal(rt, len(buf)+len(back), c.Len())
				require.Equal(rt, capacity, c.Cap())
			},
		})
	})
}
