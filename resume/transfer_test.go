package resume_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop"
	"github.com/stackhop/stackhop/resume"
)

func TestTransferLeavesTheTaskWithItsOwner(t *testing.T) {
	var log []string
	var hb resume.Handle
	b := spawn(t, func(tk *task) {
		tk.suspend(&hb)
		log = append(log, "b")
	})
	a := spawn(t, func(*task) {
		log = append(log, "a1")
		require.NoError(t, hb.Transfer())
		log = append(log, "a2")
	})
	require.Equal(t, []string{"a1", "b"}, log)
	require.True(t, b.slot.Done())
	require.False(t, a.slot.Done())
	require.NoError(t, a.slot.Resume())
	require.Equal(t, []string{"a1", "b", "a2"}, log)
	require.True(t, a.slot.Done())
}

func TestTransferPublishSuspendsUnderAHandle(t *testing.T) {
	var log []string
	var ha, hb resume.Handle
	b := spawn(t, func(tk *task) {
		tk.suspend(&hb)
		log = append(log, "b runs")
		require.True(t, ha.Live(), "published before b ran")
		require.NoError(t, ha.Resume())
		log = append(log, "b ends")
	})
	a := spawn(t, func(*task) {
		require.NoError(t, hb.TransferPublish(func(own resume.Handle) { ha = own }))
		log = append(log, "a ends")
	})
	require.Equal(t, []string{"b runs", "a ends", "b ends"}, log)
	require.True(t, a.slot.Done())
	require.True(t, b.slot.Done())
	require.ErrorIs(t, a.slot.Resume(), resume.ErrDone)
}

func TestTransferPublishPanicIsTheOthers(t *testing.T) {
	var ha, hb resume.Handle
	b := spawn(t, func(tk *task) {
		defer func() { require.Equal(t, "publish", recover()) }()
		tk.suspend(&hb)
	})
	a := spawn(t, func(*task) {
		require.NoError(t, hb.TransferPublish(func(own resume.Handle) { ha = own; panic("publish") }))
	})
	require.True(t, b.slot.Done())
	require.True(t, ha.Live())
	require.NoError(t, ha.Resume())
	require.True(t, a.slot.Done())
}

// depth of the resumer's own stack, counted where b's ender runs, must not
// grow with the length of the chain: each task transfers to the next.
func TestTransferChainUsesNoStack(t *testing.T) {
	n := 1_000_000
	if testing.Short() || stackhop.Backend().Name == "portable" {
		n = 5_000
	}
	var h [2]resume.Handle
	left := n
	pingPong := func(me int) func(*task) {
		publish := resume.PublishFunc(func(own resume.Handle) { h[me] = own })
		return func(tk *task) {
			tk.slot.Suspend(publish)
			for left > 0 {
				left--
				if err := h[1-me].TransferTo(publish); err != nil {
					t.Errorf("with %d to go: %v", left, err)
					return
				}
			}
		}
	}
	tasks := []*task{spawn(t, pingPong(0)), spawn(t, pingPong(1))}
	require.NoError(t, h[0].Resume()) // on a stack that would overflow at 1 GB of frames
	require.Zero(t, left)
	for i := range h {
		if h[i].Live() {
			require.NoError(t, h[i].Resume())
		}
		require.True(t, tasks[i].slot.Done())
	}
}

func TestTransferToSelfIsStale(t *testing.T) {
	var h resume.Handle
	tk := spawn(t, func(tk *task) {
		tk.suspend(&h)
		require.ErrorIs(t, h.Transfer(), resume.ErrStale)
	})
	require.NoError(t, h.Resume())
	require.True(t, tk.slot.Done())
}
