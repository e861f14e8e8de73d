package fuzz

import (
	"fmt"
	"strings"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/join"
)

// join runs scripts as the arms of a combinator.
func (l *library) join(me *who, o op) string {
	c := joinOf(o)
	switch {
	case me.task == nil:
		return isPlain
	case l.open()+c.arms > maxOpen:
		return isTooMany
	}
	arms := make([]func(*ctx.Task) error, c.arms)
	for i := range arms {
		arms[i] = l.arm(l.prog.script(o.a+uint8(i)), c, i)
	}
	switch c.rule {
	case joinAny:
		return raceName(join.Any(arms...))
	case joinRace:
		return raceName(join.Race(arms...))
	case joinCarved:
		return errorName(join.Size(64 << 10).All(arms...))
	}
	return errorName(join.All(arms...))
}

// arm is the body of one. Its task is the program's until that has returned.
func (l *library) arm(script int, c joinChoice, i int) func(*ctx.Task) error {
	return func(t *ctx.Task) error {
		e := &entry{lib: l, isArm: true, task: t, who: who{number: firstTask + len(l.tasks), task: t}}
		l.tasks = append(l.tasks, e)
		l.byTask[t] = &e.who
		defer func() { e.task = nil }()
		l.emit(&e.who, "begin", script, "")
		l.run(&e.who, l.prog.scripts[script])
		if c.armError(i) == isOK {
			return nil
		}
		return value(i % values)
	}
}

// raceName names what Any and Race answer.
func raceName(winner int, err error) string {
	if one, ok := err.(*ctx.PanicError); ok && winner < 0 {
		return "all: " + errorName(one) // Go 1.25: errors.Join of one that wraps several is that one
	}
	if all, ok := err.(interface{ Unwrap() []error }); ok && winner < 0 {
		var names []string
		for _, err := range all.Unwrap() {
			names = append(names, errorName(err))
		}
		return "all: " + strings.Join(names, ", ")
	}
	return fmt.Sprintf("%d: %s", winner, errorName(err))
}
