package leaf

import (
	"errors"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/stackhop/stackhop/ctx"
	"github.com/stackhop/stackhop/resume"
)

type heldHandle struct{ h resume.Handle }

func (p *heldHandle) Publish(h resume.Handle) { p.h = h }

// Somebody was to resume a waiter, which has been cancelled, and is late to come
// back with that. By now the node serves a call that has been given the lock.
func TestWhoIsLateDoesNotTakeWhatALaterCallWasGiven(t *testing.T) {
	for name, wait := range map[string]func(m *Mutex) (goOn func()){
		"a task": func(m *Mutex) func() {
			var home heldHandle
			task, err := ctx.Spawn(func(*ctx.Task) { _ = m.Lock() }, ctx.WithHome(&home))
			require.NoError(t, err)
			m.Unlock()
			return func() {
				require.NoError(t, home.h.Resume())
				require.True(t, task.Done())
			}
		},
		"a goroutine": func(m *Mutex) func() {
			m.q.mu.Lock()
			require.False(t, m.admit(nil))
			n := m.q.take(m, nil)
			ended := make(chan struct{})
			m.q.mu.Unlock()
			go func() {
				m.q.mu.Lock()
				m.q.block(n, nil)
				close(ended) // instead of leaving
			}()
			for m.q.waiters() == 0 {
				runtime.Gosched()
			}
			m.Unlock()
			<-ended
			return func() {}
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := new(Mutex)
			require.NoError(t, m.Lock())
			first, err := ctx.Spawn(func(*ctx.Task) { _ = m.Lock() })
			require.NoError(t, err)
			n := m.q.wait[0].head
			h, call := n.h, n.calls
			require.NoError(t, first.Cancel(errors.New("why")))

			goOn := wait(m)
			require.Equal(t, woken, n.state)
			m.q.notResumed(n, h, call, resume.ErrStale)
			require.False(t, m.TryLock())
			goOn()
			m.Unlock()
			require.True(t, m.TryLock())
		})
	}
}
