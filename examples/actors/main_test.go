package main

import (
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/cancel"
	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/internal/testsupport"
)

func TestMain(m *testing.M) { testsupport.Main(m) }

func Example() {
	if err := run(os.Stdout); err != nil {
		panic(err)
	}
	// Output:
	// stock: open with 5 tea
	// main: 3 tea: here you are
	// main: 8 tea: here you are
	// stock: closed with 4 tea
	// shop: restart after: ctx: task "stock" panicked: runtime error: integer divide by zero
	// stock: open with 5 tea
	// main: 0 tea: sorry, come again
	// main: 1 tea: here you are
	// main: close
	// stock: closed with 4 tea
	// desk: closed after 4 customers
	// main: <nil>, task "shop": done; cancelled: the shop closes
	// main: 1 tea: sorry
}

func start(t *testing.T, a *actor) {
	t.Helper()
	require.NoError(t, a.start())
	t.Cleanup(func() { require.NoError(t, a.stop(nil)) })
}

// Telling is no call: however long two actors tell each other, no stack grows.
func TestPingPong(t *testing.T) {
	sys, left := new(system), testsupport.Scale(100_000)
	var ping, pong *actor
	player := func(other **actor) func(a *actor) {
		return func(a *actor) {
			for {
				a.receive()
				if left--; left > 0 {
					(*other).tell("ball")
				}
			}
		}
	}
	ping, pong = sys.actor("ping", player(&pong)), sys.actor("pong", player(&ping))
	start(t, ping)
	start(t, pong)
	ping.tell("ball")
	require.NoError(t, sys.run())
	require.Zero(t, left)
}

// failOn panics with a message that is an error, and answers questions by echo.
func failOn(a *actor) {
	for {
		switch m := a.receive().(type) {
		case error:
			panic(m)
		case *question:
			if err, ok := m.value.(error); ok {
				panic(err)
			}
			m.reply(m.value, nil)
		}
	}
}

func TestTooManyFailuresEscalate(t *testing.T) {
	var log strings.Builder
	sys := new(system)
	worker := sys.actor("worker", failOn)
	sibling := sys.actor("sibling", failOn)
	inner := sys.actor("inner", supervise(1, &log, worker, sibling))
	outer := sys.actor("outer", supervise(1, &log, inner))
	start(t, outer)

	fail := func() {
		_, err := worker.ask(io.ErrNoProgress)
		require.ErrorIs(t, err, errNoAnswer)
		require.ErrorIs(t, err, io.ErrNoProgress)
		var bug *ctx.PanicError
		require.ErrorAs(t, err, &bug)
		require.Equal(t, "worker", bug.Task)
	}
	works := func() {
		for _, a := range []*actor{worker, sibling} {
			answer, err := a.ask(1)
			require.NoError(t, err)
			require.Equal(t, 1, answer)
		}
	}
	works()
	fail() // the worker starts again
	works()
	fail() // inner fails, and starts again with both
	require.False(t, outer.task.Done())
	sibling.tell(1)
	works()
	fail()
	works()
	fail() // outer fails
	require.True(t, outer.task.Done())
	require.ErrorIs(t, outer.task.Err(), io.ErrNoProgress)
	for _, a := range []*actor{outer, inner, worker, sibling} {
		_, err := a.ask(1)
		require.ErrorIs(t, err, errStopped)
	}
	require.Equal(t, 3, strings.Count(log.String(), "restart after"), log.String())
}

func TestStopUnwindsChildrenFirst(t *testing.T) {
	var order []string
	named := func(a *actor) {
		defer func() {
			require.ErrorIs(t, a.task.Err(), errClosing)
			order = append(order, a.name)
		}()
		a.receive()
	}
	sys := new(system)
	first, second := sys.actor("first", named), sys.actor("second", named)
	top := sys.actor("top", func(a *actor) {
		a.adopt(first)
		a.adopt(second)
		require.NoError(t, first.start())
		require.NoError(t, second.start())
		named(a)
	})
	start(t, top)
	require.NoError(t, top.stop(errClosing))
	require.Equal(t, []string{"second", "first", "top"}, order)
	var cancelled *cancel.Error
	require.ErrorAs(t, first.task.Err(), &cancelled)
}

// An actor may stop the system that it is part of: it is unwound when it waits.
func TestStopFromInside(t *testing.T) {
	sys := new(system)
	log, unwound := []string{}, 0
	var top *actor
	child := sys.actor("child", func(a *actor) {
		defer func() { unwound++ }()
		a.receive()
		log = append(log, errorText(top.stop(errClosing)))
		a.receive()
		log = append(log, "went on")
	})
	top = sys.actor("top", supervise(0, io.Discard, child))
	start(t, top)
	child.tell("stop")
	require.NoError(t, sys.run())
	require.True(t, top.task.Done())
	require.Equal(t, []string{cancel.ErrCancelPending.Error()}, log)
	require.Equal(t, 1, unwound)
}

func errorText(err error) string {
	if err == nil {
		return "nil"
	}
	return err.Error()
}

func TestQuestionsThatNobodyAnswers(t *testing.T) {
	sys := new(system)
	deaf := sys.actor("deaf", func(a *actor) {
		for a.receive() != "stop" {
		}
	})
	start(t, deaf)
	_, err := deaf.ask("what?")
	require.ErrorIs(t, err, errNoAnswer)

	deaf.tell("stop")
	require.NoError(t, sys.run())
	_, err = deaf.ask("what?")
	require.ErrorIs(t, err, errStopped)
}
