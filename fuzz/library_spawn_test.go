package fuzz

import (
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
)

// spawn starts the next task.
func (l *library) spawn(me *who, o op) string {
	if l.open() >= maxOpen {
		return isTooMany
	}
	var opts [3]ctx.Option
	c := choiceOf(o)
	switch {
	case c.parent == parentSelf && me.task != nil:
		opts[0] = ctx.WithParent(me.task)
	case c.parent == parentOther:
		if p := l.entry(o.b); p != nil {
			opts[0] = ctx.WithParent(p.task)
		}
	}
	e := &entry{lib: l, endPick: o.a, who: who{number: firstTask + len(l.tasks)}}
	l.tasks = append(l.tasks, e)
	if c.onEnd {
		opts[1] = ctx.WithOnEnd(e)
	}
	switch c.storage {
	case storeBig:
		opts[2] = ctx.WithStackSize(512 << 10)
	case storeStrict:
		opts[2] = ctx.WithStrictStack(512 << 10)
	}
	if c.storage >= firstOwn && l.owned[c.storage-firstOwn] != nil {
		opts[2] = ctx.WithStack(l.owned[c.storage-firstOwn])
	}
	begin := func(t *ctx.Task) { // what a handle does to t may come before Spawn returns
		e.task, e.who.task = t, t
		l.byTask[t] = &e.who
	}
	n := l.prog.script(o.a)
	body := func(t *ctx.Task) {
		begin(t)
		l.emit(&e.who, "begin", n, "")
		l.run(&e.who, l.prog.scripts[n])
	}
	if !c.lazy {
		_, err := ctx.Spawn(body, opts[:]...)
		return errorName(err)
	}
	t, err := ctx.New(body, opts[:]...)
	if err == nil {
		begin(t)
	}
	return errorName(err)
}

// TaskEnded is told of the end of the entry's task.
func (e *entry) TaskEnded(t *ctx.Task) resume.Handle {
	l := e.lib
	l.emit(l.me(), "ended", e.who.number-firstTask, e.look())
	if t != e.task {
		panic("BUG: told of the end of another task")
	}
	if len(l.handles) == 0 {
		return resume.Handle{}
	}
	return l.handles[l.pickHandle(e.endPick)]
}

// publisher is a publish function that keeps the handle and runs a script.
func (l *library) publisher(script uint8) resume.PublishFunc {
	return func(h resume.Handle) {
		l.handles = append(l.handles, h)
		me := l.me()
		l.emit(me, "publish", len(l.handles)-1, "")
		me.publishing++
		defer func() { me.publishing-- }()
		l.run(me, l.prog.publishes(script))
	}
}

// elsewhere does an operation on another goroutine.
func (l *library) elsewhere(o op) string {
	l.plains++
	g, below := &who{number: -l.plains}, l.base
	k := elsewhere[int(o.a)%len(elsewhere)]
	result := make(chan string)
	l.base = g
	go func() {
		answer := isOK
		defer func() {
			if v := recover(); v != nil {
				answer = "panic " + nameOf(v)
			}
			result <- answer
		}()
		l.run(g, []op{{k, o.b, o.a}})
	}()
	answer := <-result
	l.base = below
	return answer
}
