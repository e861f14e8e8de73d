package leaf

// How many wait, for tests.

func MutexWaiters(m *Mutex) int         { return m.q.waiters() }
func RWMutexWaiters(m *RWMutex) int     { return m.q.waiters() }
func SemaphoreWaiters(s *Semaphore) int { return s.q.waiters() }
func EventWaiters(e *Event) int         { return e.q.waiters() }
func CondWaiters(c *Cond) int           { return c.q.waiters() }
func GroupWaiters(w *WaitGroup) int     { return w.q.waiters() }
func ChanWaiters[T any](c *Chan[T]) int { return c.q.waiters() }

func (q *queue) waiters() (n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for l := range q.wait {
		for w := q.wait[l].head; w != nil; w = w.next {
			n++
		}
	}
	return n
}
