package fuzz

import (
	"fmt"
	"strings"
)

// What opJoin's b asks for.
type joinChoice struct {
	rule rule
	arms int
	fail uint8 // a bit for each arm that returns an error
}

type rule uint8

const (
	joinAll rule = iota
	joinAny
	joinRace
	joinCarved // All, on stacks carved from the parent's where that has room
	rules
)

func joinOf(o op) joinChoice { return joinChoice{rule(o.b & 3), 1 + int(o.b>>2&3), o.b >> 4} }

// ends reports whether an arm that ended so decides.
func (r rule) ends(result string) bool {
	switch r {
	case joinAny:
		return true
	case joinRace:
		return result == isOK
	}
	return result != isOK
}

// armError is what arm i returns.
func (c joinChoice) armError(i int) string {
	if c.fail>>i&1 == 0 {
		return isOK
	}
	return valueNames[i%values]
}

// joining is the frame of a combinator.
type joining struct {
	p       *actor
	choice  joinChoice
	script  uint8 // of the first arm
	arms    []*arm
	left    int  // arms that have not ended, begun or not
	decided bool // by winner, or nobody
	winner  int
	handled bool   // the rest was cancelled
	orphans bool   // the parent unwinds: arms are no children
	stuck   string // why the parent cannot suspend, or ""
	parked  bool
	cancel  int // number of the arm to cancel next
	phase   joinPhase
}

type joinPhase uint8

const (
	joinStart joinPhase = iota
	joinStarted
	joinWait
	joinCancel
	joinLeave
)

type arm struct {
	j      *joining
	task   *actor
	number int
	ended  bool
	result string
}

func (m *machine) join(a *actor, o op) {
	c := joinOf(o)
	switch {
	case a.plain():
		a.result = isPlain
	case m.open()+c.arms > maxOpen:
		a.result = isTooMany
	default:
		a.push(&joining{p: a, choice: c, script: o.a, left: c.arms, winner: -1})
	}
}

func (j *joining) step(m *machine, a *actor) {
	switch j.phase {
	case joinStart:
		j.start(m, a)
	case joinStarted:
		if j.decided {
			j.left -= j.choice.arms - len(j.arms)
		}
		j.phase = joinStart
		if j.decided || len(j.arms) == j.choice.arms {
			j.phase = joinWait
		}
	case joinWait:
		j.wait(m, a)
	case joinCancel:
		if j.cancel < 0 {
			j.phase = joinWait
			return
		}
		n := j.cancel
		j.cancel--
		m.cancelFor(a, j.arms[n].task, j.cause())
	case joinLeave:
		a.pop()
		a.result = j.result()
	}
}

// start starts the next arm.
func (j *joining) start(m *machine, a *actor) {
	if a.mark != nil && !j.orphans {
		if a.state != unwinding {
			m.park(a, post{kind: postWait}) // for nothing: it unwinds
			return
		}
		j.orphans = true
	}
	n := len(j.arms)
	t := &actor{number: firstTask + len(m.tasks), owned: -1}
	m.tasks = append(m.tasks, t)
	if !j.orphans {
		a.family = true
		t.parent = a
		a.children = append(a.children, t)
	}
	t.arm = &arm{j: j, task: t, number: n}
	j.arms = append(j.arms, t.arm)
	t.push(&base{})
	t.push(&start{m.prog.script(j.script + uint8(n))})
	t.state = running
	j.phase = joinStarted
	m.run(a, t)
}

// wait goes round until all have ended.
func (j *joining) wait(m *machine, a *actor) {
	j.parked = false
	switch {
	case j.left == 0:
		if a.mark != nil && j.stuck == "" && a.state != unwinding {
			m.park(a, post{kind: postWait})
			return
		}
		j.phase = joinLeave
	case j.decided && !j.handled:
		j.handled = true
		j.cancel = len(j.arms) - 1
		j.phase = joinCancel
	case a.state == unwinding:
		j.stuck, j.decided = isUnwinding, true
		j.handled = false
	default:
		j.parked = a.mark == nil
		m.park(a, post{kind: postWait})
	}
}

// cause is what the rest is cancelled for.
func (j *joining) cause() *request {
	if j.winner < 0 || j.choice.rule == joinAny || j.choice.rule == joinRace {
		return &request{causeLost}
	}
	w := j.arms[j.winner]
	if w.result == w.task.outcome.String() && w.task.outcome.cancel != nil && !w.task.outcome.panicked {
		return w.task.outcome.cancel
	}
	return &request{"cancelled by " + w.result}
}

func (j *joining) result() string {
	switch {
	case j.choice.rule == joinAll || j.choice.rule == joinCarved:
		if j.winner >= 0 {
			return j.arms[j.winner].result
		}
		if j.stuck != "" {
			return j.stuck
		}
		return isOK
	case j.winner >= 0:
		return fmt.Sprintf("%d: %s", j.winner, j.arms[j.winner].result)
	case j.stuck != "":
		return "-1: " + j.stuck
	}
	var all []string
	for _, a := range j.arms {
		all = append(all, a.result)
	}
	return "all: " + strings.Join(all, ", ")
}

func (j *joining) unwind(_ *machine, a *actor) {
	j.parked = false
	a.pop()
}

// armEnded counts s down. It returns the parent, if that is to go on now.
func (s *actor) armEnded() *actor {
	w := s.arm
	j := w.j
	w.ended = true
	w.result = s.outcome.String()
	if w.result == isOK {
		w.result = j.choice.armError(w.number)
	}
	j.left--
	first := !j.decided && j.choice.rule.ends(w.result)
	if first {
		j.decided, j.winner = true, w.number
	}
	if j.parked && (first || j.left == 0) && j.p.mark == nil {
		j.parked = false
		return j.p
	}
	return nil
}
