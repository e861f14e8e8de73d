package leaf

import (
	"sync/atomic"

	"github.com/stackhop/stackhop/ctx"
)

// A debt is one Unlock that a task will call without having the mutex: it was
// cancelled in Cond.Wait, and cannot wait for the mutex again, while its deferred
// Unlock is still to come.
type debt struct {
	t   *ctx.Task
	why error // tells this run of t from a later one
}

// owe has t, which is being cancelled, take the mutex if it is free, and
// forgives one Unlock by it otherwise.
func (m *Mutex) owe(t *ctx.Task) {
	if m.TryLock() {
		return
	}
	m.q.mu.Lock()
	m.debts = append(m.debts, debt{t, t.Err()})
	atomic.OrUint32(&m.word, owed)
	m.q.mu.Unlock()
}

// settle reports whether the Unlock that the caller has called is a debt of
// its, and forgives it. It drops the debts of tasks that have ended, too.
func (m *Mutex) settle() (forgiven bool) {
	t, kept := ctx.Current(), m.debts[:0]
	for _, d := range m.debts {
		switch {
		case d.t.Done() || d.t.Err() != d.why:
		case d.t == t && !forgiven:
			forgiven = true
		default:
			kept = append(kept, d)
		}
	}
	clear(m.debts[len(kept):])
	m.debts = kept
	if len(kept) == 0 {
		atomic.AndUint32(&m.word, locked|waiting)
	}
	return forgiven
}
