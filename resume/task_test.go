package resume_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/resume"
)

// A task is the least task library: a slot and a coroutine.
type task struct {
	slot  resume.Slot
	coro  *stackhop.Coro
	ends  int
	asked error // how unwinding went that was asked for
}

func (t *task) Slot() *resume.Slot { return &t.slot }

func (t *task) Ended() (*resume.Slot, resume.Sequel) {
	t.ends++
	t.slot.Finish()
	return nil, nil
}

func (t *task) Asked() *resume.Slot {
	t.slot.Adopt()
	t.asked = t.slot.Unwind()
	return nil
}

// start runs body to its first suspension.
func (t *task) start(tb testing.TB, body func(t *task)) {
	tb.Helper()
	if t.coro == nil {
		c, err := stackhop.New(stackhop.Region{}, nil)
		require.NoError(tb, err)
		c.SetLocal(t)
		t.coro = c
	}
	require.NoError(tb, t.coro.Reset(func(*stackhop.Coro) {
		body(t)
		t.slot.End()
	}))
	t.slot.Begin(t.coro, t)
	require.NoError(tb, t.slot.Run())
}

// suspend suspends the task and leaves the handle in h.
func (t *task) suspend(h *resume.Handle) {
	t.slot.Suspend(resume.PublishFunc(func(own resume.Handle) { *h = own }))
}

func spawn(tb testing.TB, body func(t *task)) *task {
	tb.Helper()
	t := new(task)
	t.start(tb, body)
	return t
}
